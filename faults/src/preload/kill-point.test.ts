import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { KILL_POINTS } from './kill-point.ts';

const LEDGER = fileURLToPath(new URL('../../../packages/shared/src/ledger/', import.meta.url));
const statements = readdirSync(LEDGER, { encoding: 'utf8', recursive: true })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => readFileSync(LEDGER + file, 'utf8'))
  .join('\n');

const points = Object.entries(KILL_POINTS).flatMap(([name, point]) =>
  point ? [[name, point] as const] : [],
);

test.each(points)('there is a statement to be killed at: %s', (_name, { statement }) => {
  expect(statements).toMatch(statement);
});
