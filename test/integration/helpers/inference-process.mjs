/**
 * Sessions on graphs that misbehave, with the built code; started by `inference-thread.test.ts` with the scenario.
 * Prints one JSON value, and ends with SIGKILL where the process cannot be ended otherwise.
 */
import { openOnnxRuntimeSession } from '../../../dist/src/model/onnxruntime-session.js';
import { RecoveringSession } from '../../../dist/src/model/recovering-session.js';

/** `y = max(zeros(n))`, opset 13: takes 4 n bytes. */
const ZEROS_ONNX = Uint8Array.from(
  Buffer.from(
    'CAgSADpeChcKAW4SAXoiD0NvbnN0YW50T2ZTaGFwZQoiCgF6EgF5IglSZWR1Y2VNYXgqDwoIa2VlcGRpbXMYAKABAhIBZ1oPCgFuEgoKCAgHEgQKAggBYgsKAXkSBgoECAESAEIECgAQDQ==',
    'base64',
  ),
);
/** A `Loop` of n turns that returns n, opset 13. */
const LOOP_ONNX = Uint8Array.from(
  Buffer.from(
    'CAgSADq6AQqSAQoBbgoACgFuEgF5IgRMb29wKn8KBGJvZHkydAoRCgFjEgJjbyIISWRlbnRpdHkKEQoBeBICeG8iCElkZW50aXR5EgFiWgsKAWkSBgoECAcSAFoLCgFjEgYKBAgJEgBaDwoBeBIKCggIBxIECgIIAWIMCgJjbxIGCgQICRIAYhAKAnhvEgoKCAgHEgQKAggBoAEFEgFnWg8KAW4SCgoICAcSBAoCCAFiDwoBeRIKCggIBxIECgIIAUIECgAQDQ==',
    'base64',
  ),
);
const OPTIONS = { provider: 'cpu', threads: 1 };
const FOR_EVER = 2n ** 62n;
/** See `fatal-run.mjs`. */
const FATAL = 13n;

const feeds = (n) => ({ n: { dtype: 'int64', dims: [1], data: BigInt64Array.of(n) } });

/** What a run answers, or the code and message of its error. */
const outcome = (running) =>
  running.then(
    ({ y }) => ({ y: Number(y.data[0]) }),
    ({ code, message }) => ({ code, message }),
  );

const SCENARIOS = {
  async memory() {
    const session = await openOnnxRuntimeSession(ZEROS_ONNX, OPTIONS);
    const outcomes = [await outcome(session.run(feeds(2n ** 45n))), await outcome(session.run(feeds(4n)))];
    await session.close();
    return outcomes;
  },
  async hang() {
    const session = await openOnnxRuntimeSession(LOOP_ONNX, { ...OPTIONS, runTimeoutMs: 300 });
    return Promise.all([FOR_EVER, 1n].map((n) => outcome(session.run(feeds(n)))));
  },
  async patient() {
    const session = await openOnnxRuntimeSession(LOOP_ONNX, { ...OPTIONS, runTimeoutMs: 60_000 });
    const outcomes = [await outcome(session.run(feeds(5n))), await outcome(session.run(feeds(6n)))];
    await session.close();
    return outcomes;
  },
  async death() {
    const open = () => openOnnxRuntimeSession(LOOP_ONNX, OPTIONS);
    const session = new RecoveringSession(await open(), open);
    const lost = await Promise.all([FATAL, 1n].map((n) => outcome(session.run(feeds(n)))));
    const outcomes = [...lost, await outcome(session.run(feeds(2n)))];
    await session.close();
    return outcomes;
  },
};

const scenario = process.argv[2];
const outcomes = await SCENARIOS[scenario]();
process.stdout.write(JSON.stringify(outcomes), () => {
  if (scenario === 'hang') process.kill(process.pid, 'SIGKILL');
});
