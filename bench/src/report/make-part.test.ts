import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makePart } from './make-part.ts';

const part = makePart<{ bytes: number }>({
  name: 'cost',
  title: 'Cost',
  measure: () => Promise.reject(new Error('Nothing is measured here.')),
  tables: ({ bytes }) => [
    {
      title: 'Of one',
      explanation: 'What one takes.',
      table: { header: ['', 'bytes'], rows: [['it', `${bytes}`]] },
    },
  ],
  plots: () => [
    { title: 'First', svg: '<svg/>' },
    { title: 'Second', svg: '<svg/>' },
  ],
  targets: ({ bytes }) => [
    {
      name: 'small',
      measured: { median: bytes, min: bytes, max: bytes },
      bound: 8,
      wanted: 'at most',
      unit: 'B',
    },
  ],
});

test('a part is shown, on a page and on a terminal, as its file in the folder says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-bench-'));
  await writeFile(join(folder, 'cost.json'), '{"bytes":7}');

  const page = await part.render(folder);

  expect(page).toContain('![First](performance/cost.svg)\n\n![Second](performance/cost-2.svg)');
  expect(page).toContain('#### Of one\n\nWhat one takes.\n\n|  | bytes |\n| --- | --: |\n| it | 7 |');
  expect(await part.renderText(folder)).toMatch(/^Of one\n\s+bytes\nit\s+7$/);
  expect(await part.targets(folder)).toMatchObject([{ name: 'small', measured: { median: 7 } }]);
  await rm(folder, { recursive: true });
});
