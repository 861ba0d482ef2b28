/** Logs what must not be read; `log.test.ts` reads it. The secrets come as arguments, so that none is in a stack. */
import { createLogger, jobLogger } from '../../dist/src/runtime/log.js';

const [password, signature, accessKeyId, secretKey] = process.argv.slice(2);
const queueUrl = `redis://default:${password}@redis.example:6379`;
const presigned =
  'https://bucket.s3.amazonaws.com/photo.jpg' +
  `?X-Amz-Credential=${accessKeyId}%2F20261121&X-Amz-Security-Token=${secretKey}&X-Amz-Signature=${signature}`;
const log = createLogger('info');

const reply = Object.assign(new Error(`WRONGPASS at ${queueUrl}`), {
  command: { name: 'auth', args: ['default', password] },
});
const signed = Object.assign(new Error(`403 for ${presigned}`, { cause: reply }), {
  code: 'AccessDenied',
  $response: {
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}, Signature=${signature}` },
  },
});

log.error({ err: signed }, 'an error with a request and a cause');
log.error(reply);
log.error({ error: reply, reason: signed }, 'errors in other fields');
log.error(`a message with ${queueUrl} and "${presigned}"`);
log.error('an argument %s and %o', queueUrl, { url: presigned });
log.error({ connection: { password, tls: { passphrase: password } }, list: [queueUrl] }, 'settings');
log.error({ credentials: { accessKeyId, secretAccessKey: secretKey } }, 'credentials');
log.error({ env: `AWS_SECRET_ACCESS_KEY=${secretKey} AWS_ACCESS_KEY_ID=${accessKeyId}` }, 'an environment');
log.child({ url: queueUrl, err: signed }).error('a child');
jobLogger(log, { run: 'run-1', shard: 7, attempt: 2 }).error({ err: signed }, `of ${presigned}`);
try {
  log.error(new URL(`:${queueUrl}`).href);
} catch (error) {
  log.error({ err: error }, 'an URL that is none');
}
log.error({ key: 'a "quoted" key\n{"level":50}', nul: '\0' }, 'a line break');
