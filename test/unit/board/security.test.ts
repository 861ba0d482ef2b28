import { describe, expect, it } from 'vitest';
import { isAllowed, isCrossSite } from '../../../src/board/security.ts';

describe('credentials', () => {
  const wanted = { user: 'millrace', password: 'correct horse' };

  it.each([
    [{ user: 'millrace', password: 'correct horse' }, true],
    [{ user: 'millrace', password: 'correct horsf' }, false],
    [{ user: 'millrace', password: '' }, false],
    [{ user: 'Millrace', password: 'correct horse' }, false],
    [{ user: 'millracecorrect', password: ' horse' }, false],
  ])('%j', (given, allowed) => {
    expect(isAllowed(given, wanted)).toBe(allowed);
  });
});

describe('a change', () => {
  it.each([
    ['from the board itself', { 'sec-fetch-site': 'same-origin' }, false],
    ['from another site', { 'sec-fetch-site': 'cross-site' }, true],
    ['from a sibling host', { 'sec-fetch-site': 'same-site' }, true],
    ['from an old browser on the board', { origin: 'http://board:3000', host: 'board:3000' }, false],
    ['from an old browser elsewhere', { origin: 'http://evil.example', host: 'board:3000' }, true],
    ['from a page without an origin', { origin: 'null', host: 'board:3000' }, true],
    ['from a script', { host: 'board:3000' }, false],
  ])('%s', (_name, headers, crossSite) => {
    expect(isCrossSite({ headers })).toBe(crossSite);
  });
});
