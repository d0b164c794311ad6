import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { describeJobType } from '../../apps/worker/src/handlers/describe-job-type.ts';
import { loadHandlers } from '../../apps/worker/src/handlers/load-handlers.ts';
import { readPages } from './pages.ts';

const folder = mkdtempSync(join(tmpdir(), 'accepted-handlers-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('every handler that a page shows can be loaded by a worker, from a folder of its own', async () => {
  const handlers = readPages().flatMap(({ code }) => code.filter(({ text }) => text.includes('defineJob({')));
  for (const [index, { text }] of handlers.entries()) writeFileSync(join(folder, `${index}.ts`), text);

  const loaded = await loadHandlers({ jobsDir: folder, builtins: [] });

  expect(loaded.map((handler) => describeJobType(handler).type).sort()).toEqual([
    'invoice.charge',
    'report.render',
  ]);
});
