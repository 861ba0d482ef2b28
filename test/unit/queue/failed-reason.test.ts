import { describe, expect, it } from 'vitest';
import { fromFailedReason, toFailedReason } from '../../../src/queue/failed-reason.ts';
import { MillraceError } from '../../../src/runtime/errors.ts';

describe('an error that crosses the queue', () => {
  it('keeps its code and its message, of several lines too', () => {
    const error = new MillraceError('STORAGE_UNAVAILABLE', 'bucket a: no answer\nafter 3 tries');
    expect(toFailedReason(error)).toBe('STORAGE_UNAVAILABLE: bucket a: no answer\nafter 3 tries');
    expect(fromFailedReason(toFailedReason(error))).toEqual(error);
  });

  it('without a code keeps its message, even where that looks like one', () => {
    const restored = fromFailedReason(toFailedReason(new TypeError('EPERM: not permitted')));
    expect(restored).not.toBeInstanceOf(MillraceError);
    expect(restored.message).toBe('EPERM: not permitted');
  });

  it('is rid of credentials', () => {
    const reason = toFailedReason(
      new Error(
        'redis://user:secret@host:6379 and https://b/k?X-Amz-Signature=secret&X-Amz-Date=1&x-amz-credential=secret',
      ),
    );
    expect(reason).toBe(
      'redis://***@host:6379 and https://b/k?X-Amz-Signature=***&X-Amz-Date=1&x-amz-credential=***',
    );
  });

  it('keeps an @ that is in no URL', () => {
    expect(toFailedReason(new Error('a//b: photo@2x.png, mail@host'))).toBe('a//b: photo@2x.png, mail@host');
  });

  it('is rid of NUL and of endless length', () => {
    expect(toFailedReason(new Error('a\0b'))).toBe('a\\0b');
    expect(toFailedReason(new Error('x'.repeat(5_000)))).toHaveLength(2_000);
  });
});
