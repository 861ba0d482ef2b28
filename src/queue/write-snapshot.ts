/** A step of the build: makes the snapshot that the embedded queue starts from, unless it is there. */
import { existsSync } from 'node:fs';
import { snapshotPath, writeSnapshot } from './embedded-database.ts';

if (!existsSync(snapshotPath())) await writeSnapshot();
