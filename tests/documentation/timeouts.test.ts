import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT, readPage, tableAfter } from './pages.ts';

const rows = tableAfter(readPage('docs/operating.md'), '## Timeouts').map(
  ([who, what, time = '', code = '']) => {
    const [, name = '', path = ''] = /^\[`(\w+)`\]\(\.\.\/(.+)\)$/.exec(code) ?? [];
    return [who, what, time, name, path] as const;
  },
);

const MS = { ms: 1, s: 1_000 };

/** Reads `800 ms` and `5 s`. */
function msOf(time: string): number {
  const [, count, unit] = /^(\d+) (ms|s)$/.exec(time) ?? [];
  return Number(count) * MS[unit as keyof typeof MS];
}

/** All numbers that a file gives to a constant, a property or, as its default, to a setting of this name. */
function valuesMs(path: string, name: string): number[] {
  const text = readFileSync(`${ROOT}${path}`, 'utf8');
  const given = String.raw`(?:: wholeNumber\(.*?default:|: z\..*?default\(| =|:) ?([\d_]+)`;
  const values = [...text.matchAll(new RegExp(String.raw`\b${name}${given}`, 'g'))];
  const inMs = name.endsWith('_SECONDS') ? MS.s : MS.ms;
  return values.map(([, digits = '']) => Number(digits.replaceAll('_', '')) * inMs);
}

test('the table has what is waited for of Postgres, Redis, receivers, handlers and clients', () => {
  expect(rows.length).toBeGreaterThan(30);
});

test.each(rows)('%s waits for %s %s at most, as %s in %s says', (_who, _what, time, name, path) => {
  expect(valuesMs(path, name)).toContain(msOf(time));
});
