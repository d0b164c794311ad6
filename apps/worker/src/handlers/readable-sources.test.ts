import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readableSources } from './readable-sources.ts';

/** A workspace as pnpm makes one: `jobs` imports `lib`, which imports `far` from the store, and `chained`, which imports `lib`. */
async function makeWorkspace(): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'accepted-readable-')));
  onTestFinished(() => rm(root, { recursive: true }));
  const ours = [
    '.env',
    'package.json',
    'jobs/.env',
    'jobs/a.ts',
    'lib/.env',
    'lib/index.js',
    'chained/index.js',
  ];
  const theirs = ['node_modules/.pnpm/far@1/node_modules/far/index.js', 'node_modules/near/index.js'];
  for (const path of [...ours, ...theirs]) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), '');
  }
  const links = {
    'jobs/node_modules/@acme/lib': 'lib',
    'jobs/node_modules/chained': 'chained',
    'chained/node_modules/lib': 'lib',
    'lib/node_modules/far': 'node_modules/.pnpm/far@1/node_modules/far',
    'node_modules/.pnpm/node_modules/lib': 'lib',
  };
  for (const [link, target] of Object.entries(links)) {
    await mkdir(dirname(join(root, link)), { recursive: true });
    await symlink(join(root, target), join(root, link));
  }
  return root;
}

test('sources and packages are readable, and no folder in which a link leads to the root of the workspace', async () => {
  const root = await makeWorkspace();
  const readable = [...readableSources([join(root, 'jobs')])].filter((path) => path.startsWith(`${root}/`));
  expect(readable.map((path) => path.slice(root.length + 1)).sort()).toEqual([
    'jobs/a.ts',
    'jobs/node_modules/@acme/lib',
    'jobs/package.json',
    'lib/index.js',
    'lib/node_modules/far',
    'lib/package.json',
    'node_modules/.pnpm/far@1',
    'node_modules/.pnpm/far@1/node_modules/far',
    'node_modules/near',
    'package.json',
  ]);
});
