/**
 * A process of its own that writes into a folder, with the built code; started by `storage-file.test.ts`:
 *   create <folder> <name>   says "ready", waits for a message, creates 20 keys and reports those it won
 *   hang <folder>            begins a write that never ends, saying so
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openFileStorage } from '../../dist/src/storage/file.js';

const [task, folder, name] = process.argv.slice(2);
const storage = openFileStorage(folder);

async function* endless() {
  for (;;) {
    yield Buffer.from('more');
    process.send('writing');
    await sleep(10);
  }
}

async function createAll() {
  const won = [];
  for (let key = 0; key < 20; key++)
    if (await storage.createIfAbsent(`locks/${key}`, Buffer.from(name))) won.push(key);
  process.send({ won });
  process.disconnect();
}

if (task === 'hang') await storage.put('never', endless());
else {
  process.once('message', () => void createAll());
  process.send('ready');
}
