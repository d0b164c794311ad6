import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openJournal } from './journal.ts';

test('a line is in the file when its write resolves, in the order of the writes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-journal-'));
  const path = join(folder, 'acks.jsonl');
  const journal = await openJournal<{ n: number }>(path);
  const written = () => readFile(path, 'utf8').then((text) => text.trimEnd().split('\n').length);

  await journal.write({ n: 0 });
  expect(await written()).toBe(1);
  const all = Array.from({ length: 500 }, (_, index) => journal.write({ n: index + 1 }));
  await all[100];
  expect(await written()).toBeGreaterThan(100);
  await journal.close();

  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).n)).toEqual(Array.from({ length: 501 }, (_, n) => n));
  await rm(folder, { recursive: true });
});
