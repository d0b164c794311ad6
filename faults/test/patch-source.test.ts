import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Patch } from './broken/patch-source.ts';

const run = promisify(execFile);
const FILE = 'packages/shared/src/core/job/status.ts';
const url = (path: string) => JSON.stringify(new URL(path, new URL('../../', import.meta.url)).href);

/** Loads `FILE` in a process of its own, under the patch, and prints what it says of a canceled job. */
async function loadPatched(patch: Patch): Promise<string> {
  const program = `import { patchSource } from ${url('faults/test/broken/patch-source.ts')};
    patchSource(${JSON.stringify(patch)});
    const { isTerminal } = await import(${url(FILE)});
    process.stdout.write(String(isTerminal('canceled')));`;
  return (await run(process.execPath, ['--input-type=module', '--eval', program])).stdout;
}

test('a patch changes the one file that it names', async () => {
  const from = 'return (TERMINAL_STATUSES as readonly JobStatus[]).includes(status);';
  expect(await loadPatched({ file: FILE, from, to: from })).toBe('true');
  expect(await loadPatched({ file: FILE, from, to: 'return false;' })).toBe('false');
});

test('a patch that no longer applies, or applies twice, stops the process', async () => {
  await expect(loadPatched({ file: FILE, from: 'no such text', to: '' })).rejects.toThrow(
    `${FILE} has the text to patch 0 times`,
  );
  await expect(loadPatched({ file: FILE, from: "'canceled'", to: '' })).rejects.toThrow('times');
  await expect(loadPatched({ file: 'no/such/file.ts', from: '', to: '' })).rejects.toThrow(
    'There is no no/such/file.ts to patch.',
  );
});
