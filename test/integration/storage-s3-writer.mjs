/**
 * A process of its own that writes to the storage at a URI, with the built code; started by `storage-s3.test.ts`:
 *   says "ready", waits for a message, creates 20 keys, reports those it won, and ends by itself
 */
import { openStorage } from '../../dist/src/storage/open.js';

const [uri, name] = process.argv.slice(2);
const storage = await openStorage(uri);

async function createAll() {
  const won = [];
  for (let key = 0; key < 20; key++)
    if (await storage.createIfAbsent(`locks/${key}`, Buffer.from(name))) won.push(key);
  process.send({ won });
  process.disconnect();
}

process.once('message', () => void createAll());
process.send('ready');
