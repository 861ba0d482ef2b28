/** `npm run demo:cluster`: a cluster on this machine labels the demo images from a bucket; Ctrl-C stops everything. */
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../src/runtime/package-root.ts';
import { untilToldToStop } from '../src/runtime/shutdown.ts';
import { launchCluster, MILLRACE } from './launch-cluster.ts';
import { runToEnd } from './process.ts';
import { uploadFolder } from './upload.ts';

// As in src/storage/open.ts: a warning for developers, not for those who watch a demo.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const inRepository = (path: string): string => fileURLToPath(new URL(path, packageRoot));
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const told = untilToldToStop();
say('Starting Redis, an S3 server, the coordinator, two workers and the board ...');
const model = inRepository('models/id-cards');
const cluster = await launchCluster({ models: [model], workers: 2, board: true });
try {
  Object.assign(process.env, cluster.environment);
  const source = `${cluster.bucketUri}photos/`;
  const output = `${cluster.bucketUri}labels/`;
  say(`Uploading the demo images to ${source}`);
  const files = await uploadFolder(inRepository('examples/images'), source);
  say(`${files} files. Now: millrace enqueue ${source} --model models/id-cards --output ${output} --wait\n`);
  const argv = [MILLRACE, 'enqueue', source, '--model', model, '--output', output, '--wait'];
  const exitCode = await Promise.race([runToEnd(argv), told.then(() => 130)]);
  if (exitCode !== 0) process.exitCode = exitCode;
  else {
    const { board, environment: s3 } = cluster;
    say(`
Results: ${output} on ${s3.AWS_ENDPOINT_URL_S3 ?? ''}
         access key ${s3.AWS_ACCESS_KEY_ID ?? ''}, secret key ${s3.AWS_SECRET_ACCESS_KEY ?? ''}
Board:   ${board?.url ?? ''}, user ${board?.user ?? ''}, password ${board?.password ?? ''}
Ctrl-C stops everything.`);
    await told;
  }
} finally {
  say('\nStopping ...');
  await cluster.stop();
}
