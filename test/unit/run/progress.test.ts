import { describe, expect, it } from 'vitest';
import type { FailureBudget } from '../../../src/run/failure-budget.ts';
import { RunProgress } from '../../../src/run/progress.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';
import { commitOf } from './documents-fixture.ts';

const LABELLED = { image_id: 1, key: 'a.jpg', width: 1, height: 1, orientation: 1, detections: [] };
const TRUNCATED = {
  image_id: 2,
  key: 'b "c".jpg',
  failure: { class: 'truncated' as const, message: 'it ends early' },
};

/** The progress of a planned run of so many images. */
function progressOf(
  images: number,
  budget?: FailureBudget,
): { progress: RunProgress; interrupt: AbortController } {
  const interrupt = new AbortController();
  const progress = new RunProgress(budget, interrupt.signal);
  progress.planned(images);
  return { progress, interrupt };
}

/** Ends images of a shard, in this order. */
function end(progress: RunProgress, shard: number, labelled: number, failed: number): void {
  for (let n = 0; n < labelled; n++) progress.onImage(shard, LABELLED);
  for (let n = 0; n < failed; n++) progress.onImage(shard, TRUNCATED);
}

describe('RunProgress counts', () => {
  it('nothing before the run is planned', () => {
    const progress = new RunProgress(undefined, new AbortController().signal);
    expect([progress.images, progress.resumed]).toEqual([0, 0]);
    expect(progress.tally).toEqual({ labelled: 0, failed: 0, failures: {} });
  });

  it('images as they end, over all shards', () => {
    const { progress } = progressOf(6);
    end(progress, 0, 2, 1);
    end(progress, 1, 1, 0);
    expect(progress.images).toBe(6);
    expect(progress.tally).toEqual({ labelled: 3, failed: 1, failures: { truncated: 1 } });
    expect(progress.resumed).toBe(0);
  });

  it('a shard that is tried again once', () => {
    const { progress } = progressOf(4);
    progress.begin(0);
    end(progress, 0, 1, 1);
    progress.begin(0);
    end(progress, 0, 2, 0);
    expect(progress.tally).toEqual({ labelled: 2, failed: 0, failures: {} });
  });

  it('what was committed before as done and as resumed', () => {
    const { progress } = progressOf(8);
    progress.resumedWith(commitOf(0, 2, { empty: 1 }));
    progress.resumedWith(commitOf(1, 1));
    end(progress, 2, 1, 0);
    expect(progress.resumed).toBe(4);
    expect(progress.tally).toEqual({ labelled: 4, failed: 1, failures: { empty: 1 } });
  });

  it('a commit that is found twice once: looking for commits can be repeated', () => {
    const { progress } = progressOf(8);
    progress.resumedWith(commitOf(0, 2, { empty: 1 }));
    progress.resumedWith(commitOf(0, 2, { empty: 1 }));
    expect(progress.tally).toEqual({ labelled: 2, failed: 1, failures: { empty: 1 } });
    expect(progress.resumed).toBe(3);
  });

  it('its own shards as done and not as resumed, also when their commits are found later', () => {
    const { progress } = progressOf(8);
    end(progress, 0, 2, 0);
    progress.committed(commitOf(0, 2));
    progress.resumedWith(commitOf(0, 2));
    expect(progress.tally).toEqual({ labelled: 2, failed: 0, failures: {} });
    expect(progress.resumed).toBe(0);
  });

  it('what a commit says, whatever was counted while its shard was tried', () => {
    const { progress } = progressOf(8);
    progress.begin(0);
    progress.committed(commitOf(0, 2, { empty: 1 }));
    expect(progress.tally).toEqual({ labelled: 2, failed: 1, failures: { empty: 1 } });
  });
});

describe('the failure budget', () => {
  it('stops the run with the failure that exceeds it, and says the numbers', () => {
    const { progress } = progressOf(500, { count: 2 });
    end(progress, 0, 5, 2);
    expect(progress.stopped.aborted).toBe(false);
    end(progress, 1, 0, 1);
    expect(progress.stopped.reason).toMatchObject({
      code: 'FAILURE_BUDGET_EXCEEDED',
      exitCode: 3,
      message: expect.stringMatching(
        /^3 of 500 images failed; the budget is 2 images\. Among them:\n  "b \\"c\\"\.jpg": truncated, it ends early\nWhat .*--max-failures/,
      ),
    });
  });

  it('is 5% from 200 images on, unasked', () => {
    const { progress } = progressOf(500);
    end(progress, 0, 188, 11);
    expect(progress.stopped.aborted).toBe(false);
    end(progress, 1, 0, 1);
    expect(progress.stopped.reason).toMatchObject({
      message: expect.stringContaining('12 of 500 images failed; the budget is 5%'),
    });
  });

  it('counts what failed before the run was resumed', () => {
    const { progress } = progressOf(500, { count: 2 });
    progress.resumedWith(commitOf(0, 0, { empty: 2 }));
    end(progress, 1, 1, 1);
    expect(progress.stopped.reason).toMatchObject({
      message: expect.stringContaining('3 of 500 images failed'),
    });
  });

  it('stops a resumed run that was over it before, with the next shard that ends', () => {
    const { progress } = progressOf(500, { count: 1 });
    progress.resumedWith(commitOf(0, 0, { empty: 2 }));
    expect(progress.stopped.aborted).toBe(false);
    progress.committed(commitOf(1, 3));
    expect(progress.stopped.reason).toMatchObject({ code: 'FAILURE_BUDGET_EXCEEDED' });
  });

  it('forgives failures of a shard that is tried again', () => {
    const { progress } = progressOf(500, { count: 1 });
    end(progress, 0, 0, 1);
    progress.begin(0);
    end(progress, 0, 0, 1);
    expect(progress.stopped.aborted).toBe(false);
  });
});

describe('an error that no other shard can escape', () => {
  it('stops the run; the first reason stays', () => {
    const { progress } = progressOf(10, { count: 0 });
    const error = new MillraceError('CONTRACT_MISMATCH', 'no such label');
    progress.failed(new MillraceError('STORAGE_UNAVAILABLE', 'may pass'));
    expect(progress.stopped.aborted).toBe(false);
    progress.failed(error);
    end(progress, 0, 0, 1);
    expect(progress.stopped.reason).toBe(error);
  });
});

describe('an interrupt', () => {
  it('stops the run with its own reason, which stays', () => {
    const { progress, interrupt } = progressOf(10, { count: 0 });
    interrupt.abort('Ctrl-C');
    end(progress, 0, 0, 1);
    expect(progress.stopped.reason).toBe('Ctrl-C');
  });

  it('before the run counts too', () => {
    const progress = new RunProgress(undefined, AbortSignal.abort('Ctrl-C'));
    expect(progress.stopped.aborted).toBe(true);
  });
});
