import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../config/load.ts';

function configFile(text: string): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'millrace-config-')), 'millrace.yaml');
  writeFileSync(file, text);
  return file;
}

describe('loadConfig', () => {
  it('has defaults', () => {
    const config = loadConfig({ flags: {}, environment: {} });
    expect(config).toMatchObject({ provider: 'cpu', shardSize: 'auto', annotate: true, threads: 0 });
    expect(config.maxFailures).toBeUndefined();
  });

  it('lets the environment win over the file and flags over both', () => {
    const file = configFile('batchSize: 2\nthreads: 2\nannotate: false\n');
    const environment = { MILLRACE_THREADS: '3', MILLRACE_BATCH_SIZE: '3' };
    const config = loadConfig({ flags: { batchSize: 4, annotate: undefined }, environment, file });
    expect(config).toMatchObject({ batchSize: 4, threads: 3, annotate: false });
  });

  it('reads budgets as share or count', () => {
    expect(loadConfig({ flags: { maxFailures: '2.5%' }, environment: {} }).maxFailures).toEqual({
      share: 0.025,
    });
    expect(loadConfig({ flags: {}, environment: { MILLRACE_MAX_FAILURES: '7' } }).maxFailures).toEqual({
      count: 7,
    });
  });

  it.each([
    [{ scoreThreshold: 1.5 }, {}, /--score-threshold 1\.5/],
    [{ scoreThreshold: Number.NaN }, {}, /--score-threshold/],
    [{ maxFailures: 'many' }, {}, /--max-failures "many": a share such as "5%" or a count/],
    [{ maxFailures: '120%' }, {}, /at most 100%/],
    [{}, { MILLRACE_PROVIDER: 'gpu' }, /MILLRACE_PROVIDER "gpu".*cpu/s],
    [{ shardSize: 1000 }, {}, /--shard-size 1000/],
  ])('names the wrong setting %j %j', (flags, environment, message) => {
    expect(() => loadConfig({ flags, environment })).toThrow(message);
  });

  it('names an unknown setting of the file', () => {
    const file = configFile('bachSize: 2\n');
    expect(() => loadConfig({ flags: {}, environment: {}, file })).toThrow(
      /bachSize in .*no such setting.*batchSize/s,
    );
  });

  it('refuses a file that was named and is not there', () => {
    expect(() => loadConfig({ flags: {}, environment: {}, file: '/no/such.yaml' })).toThrow(
      /cannot read the configuration/,
    );
  });
});
