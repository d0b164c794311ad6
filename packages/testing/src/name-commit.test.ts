import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nameCommit } from './name-commit.ts';

test('code is named by its commit, what was changed since is said, and without a repository nothing is claimed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-commit-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' }).trim();
  expect(await nameCommit(folder)).toBe('unknown');

  git('init', '-q');
  await writeFile(join(folder, 'code.ts'), '1');
  git('add', '.');
  git(...identity, 'commit', '-q', '-m', 'Begin');
  const commit = git('rev-parse', '--short', 'HEAD');
  expect(await nameCommit(folder)).toBe(commit);
  await writeFile(join(folder, 'code.ts'), '2');
  expect(await nameCommit(folder)).toBe(`${commit}+changes`);
});
