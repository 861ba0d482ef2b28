import { readFileSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { Metrics } from '../../../src/runtime/metrics.ts';

const dashboard = z
  .object({
    panels: z.array(
      z.object({
        id: z.int(),
        type: z.string(),
        title: z.string(),
        targets: z.array(z.object({ expr: z.string() })).default([]),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('../../../config/grafana/millrace.json', import.meta.url), 'utf8')));

const metrics = new Metrics();
afterAll(() => metrics.close());

/** The families that exist, with the names of the series that a histogram has. */
async function knownNames(): Promise<Set<string>> {
  const families = [...(await metrics.text()).matchAll(/^# TYPE (\w+) (\w+)$/gm)];
  return new Set(
    families.flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

it('asks for metrics that exist, and for every one of ours', async () => {
  const text = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join('\n');
  const asked = new Set([...text.matchAll(/\b(?:millrace|process)_\w+/g)].map(([name]) => name));
  const known = await knownNames();
  expect([...asked].filter((name) => !known.has(name))).toEqual([]);
  const family = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, '');
  const shown = new Set([...asked].map(family));
  expect([...known].map(family).filter((name) => name.startsWith('millrace_') && !shown.has(name))).toEqual(
    [],
  );
});

it('has its five rows, and panels with ids of their own', () => {
  expect(dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)).toEqual([
    'Throughput',
    'Failures',
    'Stages',
    'Queue',
    'Process',
  ]);
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});
