// A producer in a service of your own: enqueues a run and follows it. Run it where QUEUE_URL, MILLRACE_REGISTRY and the
// AWS SDK's variables are set:
//
//   node examples/producer.mjs s3://bucket/photos/ s3://bucket/models/cards/ s3://bucket/labels/
import { connectCluster, enqueueRun, followRun } from 'millrace';

const [source, model, output] = process.argv.slice(2);
const { QUEUE_URL: queueUrl, MILLRACE_REGISTRY: registry } = process.env;
if (!source || !model || !output || !queueUrl || !registry) {
  console.error('usage: QUEUE_URL=... MILLRACE_REGISTRY=... node producer.mjs <source> <model> <output>');
  process.exit(2);
}

const cluster = await connectCluster({ queueUrl, registry });
try {
  const { runId } = await enqueueRun({ source, model, output, settings: { annotate: false } }, cluster);
  console.log(`enqueued ${runId}`);
} finally {
  await cluster.close();
}
for await (const { state, images, tally } of followRun(output)) {
  console.log(`${state}: ${tally.labelled} labelled, ${tally.failed} failed, of ${images}`);
}
