import { describe, expect, it } from 'vitest';
import { RecoveringSession } from '../../../src/model/recovering-session.ts';
import type { Session, Tensors } from '../../../src/model/session.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';
import { int64 } from './tensors.ts';

const FEEDS: Tensors = {};

/** A session that answers with its number, once `until` has. */
function numbered(
  number: number,
  log: string[],
  until: () => Promise<void> = async () => undefined,
): Session {
  return {
    signature: { inputs: [], outputs: [] },
    run: async () => {
      log.push(`run ${number}`);
      await until();
      return { number: int64([1], number) };
    },
    close: async () => void log.push(`close ${number}`),
  };
}

const numberOf = ({ number }: Tensors): number => Number(number?.data[0]);

/** A session whose first one answers as `until` says; the next ones answer at once. */
function recovering(until?: () => Promise<void>): { session: RecoveringSession; log: string[] } {
  const log: string[] = [];
  let opened = 1;
  const session = new RecoveringSession(numbered(1, log, until), async () => {
    opened += 1;
    log.push(`open ${opened}`);
    return numbered(opened, log);
  });
  return { session, log };
}

describe('RecoveringSession', () => {
  it('runs on the first session while that lives', async () => {
    const { session, log } = recovering();
    expect(numberOf(await session.run(FEEDS))).toBe(1);
    expect(numberOf(await session.run(FEEDS))).toBe(1);
    expect(log).toEqual(['run 1', 'run 1']);
  });

  it.each(['SESSION_LOST', 'INFERENCE_TIMEOUT'] as const)(
    'after %s fails what was lost with that error, and opens one session for what comes next',
    async (code) => {
      const gone = new MillraceError(code, 'gone');
      const { session, log } = recovering(() => Promise.reject(gone));
      const lost = await Promise.allSettled([session.run(FEEDS), session.run(FEEDS)]);
      expect(lost.map((result) => 'reason' in result && result.reason === gone)).toEqual([true, true]);
      expect(numberOf(await session.run(FEEDS))).toBe(2);
      expect(log.filter((line) => line.startsWith('open'))).toEqual(['open 2']);
    },
  );

  it.each(['INFERENCE_FAILED', 'INFERENCE_OUT_OF_MEMORY', 'PROCESS_UNUSABLE'] as const)(
    'keeps its session after %s',
    async (code) => {
      let failed = false;
      const { session, log } = recovering(async () => {
        if (failed) return;
        failed = true;
        throw new MillraceError(code, 'no');
      });
      await expect(session.run(FEEDS)).rejects.toMatchObject({ code });
      expect(numberOf(await session.run(FEEDS))).toBe(1);
      expect(log).toEqual(['run 1', 'run 1']);
    },
  );

  it('when recycled lets the runs under way end, closes, and only then opens', async () => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const { session, log } = recovering(() => ended);
    const running = session.run(FEEDS);
    const recycled = session.recycle();
    const next = session.run(FEEDS);
    end();
    expect([numberOf(await running), numberOf(await next)]).toEqual([1, 2]);
    await recycled;
    expect(log).toEqual(['run 1', 'close 1', 'open 2', 'run 2']);
  });

  it('tries again to open what could not be opened', async () => {
    let tries = 0;
    const log: string[] = [];
    const session = new RecoveringSession(numbered(1, log), async () => {
      tries += 1;
      if (tries === 1) throw new Error('no memory');
      return numbered(2, log);
    });
    await expect(session.recycle()).rejects.toMatchObject({
      code: 'SESSION_LOST',
      message: 'the session could not be opened again: no memory',
    });
    await expect(session.run(FEEDS)).rejects.toMatchObject({ code: 'SESSION_LOST' });
    expect(numberOf(await session.run(FEEDS))).toBe(2);
  });

  it('closes the session that it has', async () => {
    const { session, log } = recovering();
    await session.recycle();
    await session.close();
    expect(log).toEqual(['close 1', 'open 2', 'close 2']);
  });
});
