import { describe, expect, it } from 'vitest';
import { RunTally } from '../../../src/run/tally.ts';

describe('RunTally', () => {
  it('counts a shard that is tried again once', () => {
    const tally = new RunTally();
    tally.begin(0);
    tally.add(0, 'labelled');
    tally.add(0, 'empty');
    tally.begin(0);
    tally.add(0, 'labelled');
    tally.add(1, 'truncated', 2);
    expect(tally.total()).toEqual({ labelled: 1, failed: 2, failures: { truncated: 2 } });
  });
});
