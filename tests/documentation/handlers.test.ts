import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { ROOT, readPages } from './pages.ts';

/** Loads a folder as a worker does, and writes its catalog as JSON. */
const PRINT_CATALOG = join(ROOT, 'apps/worker/src/handlers/testing/print-catalog.ts');

const folder = mkdtempSync(join(tmpdir(), 'accepted-handlers-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('every handler that a page shows can be loaded by a worker, from a folder of its own', async () => {
  const handlers = readPages().flatMap(({ code }) => code.filter(({ text }) => text.includes('defineJob({')));
  for (const [index, { text }] of handlers.entries()) writeFileSync(join(folder, `${index}.ts`), text);

  const { stdout } = await promisify(execFile)(process.execPath, [PRINT_CATALOG, folder]);
  const catalog: { type: string }[] = JSON.parse(stdout);
  expect(catalog.map(({ type }) => type).sort()).toEqual(['invoice.charge', 'report.render']);
});
