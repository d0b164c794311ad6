import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from './compose-file.ts';

interface Pin {
  version: string;
  integrity: string;
  os?: string[];
  cpu?: string[];
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { packageManager } = JSON.parse(read('package.json'));
const pins: Record<string, Pin> = JSON.parse(read('scripts/pnpm/package-lock.json')).packages;
const { '': _project, 'node_modules/pnpm': wrapper, ...programs } = pins;

test('package.json names the pnpm that is pinned, with its hash, for Corepack', () => {
  const hash = Buffer.from(wrapper?.integrity.replace('sha512-', '') ?? '', 'base64').toString('hex');
  expect(packageManager).toBe(`pnpm@${wrapper?.version}+sha512.${hash}`);
});

test('every pnpm has the same version and a SHA-512, and Linux its own on either processor', () => {
  for (const { version, integrity } of [wrapper, ...Object.values(programs)].flatMap((pin) => pin ?? []))
    expect({ version, integrity }).toEqual({
      version: wrapper?.version,
      integrity: expect.stringMatching(/^sha512-[\w+/]{86}==$/),
    });
  const linux = Object.values(programs).filter(({ os }) => os?.includes('linux'));
  expect(linux.flatMap(({ cpu }) => cpu)).toEqual(expect.arrayContaining(['x64', 'arm64']));
});

test('nothing fetches a pnpm in another way', () => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const run = files
    .split('\n')
    .filter((file) =>
      /(^|\/)(Dockerfile|package\.json|run|.*\.(mjs|js|sh|ya?ml|md))$|^scripts\/.*\.ts$/.test(file),
    );
  const fetching =
    /\bnpx\b.*(pnpm|packageManager)|\bnpm (exec|x|i|install)\b.* pnpm|\bcorepack (use|prepare|install)/;
  const faults = run.filter((file) => fetching.test(read(file)));
  expect(faults).toEqual([]);
});
