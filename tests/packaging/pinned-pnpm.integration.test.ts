import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { spawnProcess } from '@accepted/testing/spawn-process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from './compose-file.ts';

const NAME = '@pnpm/exe.test';
const VERSION = '1.0.0';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'accepted-pnpm-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Download {
  bytes: Buffer;
  integrity: string;
}

/** Makes a package out of files; `file` can be run. */
function makePackage(file: string, text: string, manifest: object = {}): Download {
  const work = mkdtempSync(join(folder, 'package-'));
  const content = join(work, 'package');
  mkdirSync(join(content, dirname(file)), { recursive: true });
  writeFileSync(join(content, 'package.json'), JSON.stringify({ name: NAME, version: VERSION, ...manifest }));
  writeFileSync(join(content, file), text);
  chmodSync(join(content, file), 0o755);
  execFileSync('tar', ['-czf', 'package.tgz', 'package'], { cwd: work });
  const bytes = readFileSync(join(work, 'package.tgz'));
  return { bytes, integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}` };
}

/** Starts a registry that hands out `bytes` and says `integrity` of them. */
async function startRegistry({ bytes, integrity }: Download, name = NAME) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    if (request.url?.endsWith('.tgz')) return response.end(bytes);
    const tarball = `${url()}package.tgz`;
    const version = { name, version: VERSION, dist: { tarball, integrity } };
    const described = { name, 'dist-tags': { latest: VERSION }, versions: { [VERSION]: version } };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(described));
  });
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: url(),
    countAsked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

/** Makes a clone that has what runs pnpm, and pins `integrity` for this machine, or for whatever machine. */
function makeClone(integrity: string, name = NAME): string {
  const clone = mkdtempSync(join(folder, 'clone-'));
  cpSync(join(ROOT, 'scripts/pnpm'), join(clone, 'scripts/pnpm'), { recursive: true });
  const system = name === NAME && { os: [process.platform], cpu: [process.arch] };
  const pin = { version: VERSION, integrity, ...system };
  const lock = { lockfileVersion: 3, packages: { [`node_modules/${name}`]: pin } };
  writeFileSync(join(clone, 'scripts/pnpm/package-lock.json'), JSON.stringify(lock));
  return clone;
}

const newCache = () => mkdtempSync(join(folder, 'cache-'));

async function run(clone: string, env: Record<string, string>, args = ['hello']) {
  const settings = { npm_config_userconfig: '/dev/null', npm_config_fetch_retries: '0' };
  await using program = spawnProcess(join(clone, 'scripts/pnpm/main.mjs'), {
    args,
    env: { ...settings, ...env },
  });
  const { code } = await program.exited;
  return { code, output: program.lines.join('\n'), kept: readdirSync(join(clone, 'node_modules/.cache')) };
}

const good = () => makePackage('pnpm', '#!/bin/sh\necho "asked for $*"\n');

test('what is pinned runs, and is fetched once', async () => {
  const download = good();
  await using registry = await startRegistry(download);
  const clone = makeClone(download.integrity);
  const env = { npm_config_registry: registry.url, npm_config_cache: newCache() };

  expect(await run(clone, env)).toMatchObject({ code: 0, output: 'asked for hello' });
  const asked = registry.countAsked();
  expect(await run(clone, { ...env, npm_config_cache: newCache() }, ['a', 'b'])).toMatchObject({
    code: 0,
    output: 'asked for a b',
  });
  expect(registry.countAsked()).toBe(asked);
});

test("another clone needs no network where npm's cache has it, and says what to do where it has not", async () => {
  const download = good();
  const registry = await startRegistry(download);
  const env = { npm_config_registry: registry.url, npm_config_cache: newCache() };
  await run(makeClone(download.integrity), env);
  await registry[Symbol.asyncDispose]();

  expect(await run(makeClone(download.integrity), env)).toMatchObject({ code: 0, output: 'asked for hello' });
  const away = await run(makeClone(download.integrity), { ...env, npm_config_cache: newCache() });
  expect(away).toMatchObject({ code: 1, kept: [] });
  expect(away.output).toMatch(
    /1\.0\.0 could not be fetched: see the lines above, then run the command again\.$/,
  );
});

test.each([
  ['and vouches for it', (_pinned: Download, served: Download) => served.integrity],
  ['and says that it were what is pinned', (pinned: Download) => pinned.integrity],
])('where the registry serves something else %s, nothing of it runs', async (_name, said) => {
  const marker = join(mkdtempSync(join(folder, 'marker-')), 'was-run');
  const [pinned, served] = [good(), makePackage('pnpm', `#!/bin/sh\ntouch ${marker}\n`)];
  await using registry = await startRegistry({ bytes: served.bytes, integrity: said(pinned, served) });
  const env = { npm_config_registry: registry.url, npm_config_cache: newCache() };

  const refused = await run(makeClone(pinned.integrity), env);
  expect(refused).toMatchObject({ code: 1, kept: [] });
  expect(refused.output).toMatch(
    /^@pnpm\/exe\.test 1\.0\.0 is not what scripts\/pnpm\/package-lock\.json pins, .*npm cache clean --force.*\.$/,
  );
  expect(existsSync(marker)).toBe(false);
});

test('a pin that was tampered with takes nothing, though another one was installed before', async () => {
  const download = good();
  await using registry = await startRegistry(download);
  const clone = makeClone(download.integrity);
  const env = { npm_config_registry: registry.url, npm_config_cache: newCache() };
  expect((await run(clone, env)).code).toBe(0);

  const lock = join(clone, 'scripts/pnpm/package-lock.json');
  const { integrity: another } = makePackage('pnpm', '#!/bin/sh\n');
  writeFileSync(lock, readFileSync(lock, 'utf8').replace(download.integrity, another));
  const refused = await run(clone, env);
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('is not what scripts/pnpm/package-lock.json pins');
});

test('for a system without a pin of its own the package runs that looks for its program, and is pinned too', async () => {
  const manifest = { name: 'pnpm', optionalDependencies: { '@pnpm/exe.other': VERSION } };
  const text = `process.stdout.write(\`asked for \${process.argv.slice(2)}\n\`);\n`;
  const download = makePackage('bin/pnpm.mjs', text, manifest);
  await using registry = await startRegistry(download, 'pnpm');
  const env = { npm_config_registry: registry.url, npm_config_cache: newCache() };

  expect(await run(makeClone(download.integrity, 'pnpm'), env)).toMatchObject({
    code: 0,
    output: 'asked for hello',
  });
  const refused = await run(makeClone(good().integrity, 'pnpm'), env);
  expect(refused).toMatchObject({ code: 1, kept: [] });
  expect(refused.output).toContain('pnpm 1.0.0 is not what scripts/pnpm/package-lock.json pins');
});
