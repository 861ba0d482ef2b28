/**
 * Loaded before a worker by `NODE_OPTIONS=--import`, in its inference thread too: makes `session.run` fail as
 * MILLRACE_TEST_INFERENCE says. Production code has no hook for this.
 *
 *   poison-throws    throws on a batch with the poison image
 *   poison-kills     kills the process on a batch with the poison image
 *   no-memory:FILE   has no memory for more than 2 images at once while FILE is there
 *   dead:FILE        fails on everything while FILE is there
 *
 * Each time, a line is appended to the file MILLRACE_TEST_INFERENCE_LOG.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { InferenceSession } from 'onnxruntime-node';

const [mode, argument] = splitOnce(process.env.MILLRACE_TEST_INFERENCE ?? '');
const log = process.env.MILLRACE_TEST_INFERENCE_LOG;
/** Magenta, of which the poison image is full. */
const POISON = [255, 0, 255];
const MAX_IMAGES = 2;

const { run } = InferenceSession.prototype;
InferenceSession.prototype.run = function (feeds, ...rest) {
  const fault = faultOf(feeds.images);
  if (fault === undefined) return run.call(this, feeds, ...rest);
  if (log) appendFileSync(log, `${mode}\n`);
  if (fault === 'kill') process.kill(process.pid, 'SIGKILL');
  return Promise.reject(new Error(fault));
};

function faultOf({ dims, data }) {
  const [images, height, width, channels] = dims;
  const bytes = height * width * channels;
  const hasPoison = Array.from({ length: images }, (_, n) => n * bytes).some((at) =>
    POISON.every((value, channel) => data[at + channel] === value),
  );
  if (mode === 'poison-throws' && hasPoison) return 'Non-zero status code returned while running a node';
  if (mode === 'poison-kills' && hasPoison) return 'kill';
  if (mode === 'no-memory' && images > MAX_IMAGES && existsSync(argument))
    return 'Failed to allocate memory for requested buffer of size 1048576';
  if (mode === 'dead' && existsSync(argument)) return 'the device does not answer';
  return undefined;
}

function splitOnce(text) {
  const at = text.indexOf(':');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
