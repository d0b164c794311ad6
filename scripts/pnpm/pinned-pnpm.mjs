// Brings the pnpm that package-lock.json beside this file pins. It is plain JavaScript without dependencies, as it runs on
// whatever Node there is, before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const WRAPPER = 'node_modules/pnpm';
const cache = join(dirname(dirname(here)), 'node_modules', '.cache');

/**
 * Answers the path of the pinned pnpm. Where it is not there yet npm brings it, from its cache or its registry, and takes
 * nothing that has another SHA-512 than the lockfile says: no byte of it runs before. Throws a sentence that says what to do.
 */
export function pinnedPnpm() {
  const pin = pinForThisMachine();
  const fingerprint = Buffer.from(pin.integrity.replace('sha512-', ''), 'base64')
    .toString('hex')
    .slice(0, 16);
  const folder = join(cache, `pnpm-${pin.version}-${fingerprint}`);
  const program = join(folder, 'node_modules', pin.name, pin.program);
  if (!existsSync(program)) install(pin, folder);
  return program;
}

/**
 * pnpm is a program for each system, in a package of its own. For a system that the lockfile has no hash for it is the
 * package `pnpm`, which is pinned like them: it fetches the program itself, and checks npm's signature of that.
 */
function pinForThisMachine() {
  const { packages } = JSON.parse(readFileSync(join(here, 'package-lock.json'), 'utf8'));
  const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
  const isForThisMachine = ([, { os, cpu, libc: needed = [libc] }]) =>
    os?.includes(process.platform) && cpu?.includes(process.arch) && needed.includes(libc);
  const [path, { version, integrity }] = Object.entries(packages).find(isForThisMachine) ?? [
    WRAPPER,
    packages[WRAPPER],
  ];
  return {
    name: path.replace('node_modules/', ''),
    version,
    integrity,
    program: path === WRAPPER ? 'bin/pnpm' : 'pnpm',
  };
}

/** Installs beside and moves, so that a start that was interrupted, or another at the same time, leaves nothing half done. */
function install(pin, folder) {
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, 'pnpm-draft-'));
  try {
    writeProject(draft, pin);
    fetchWithNpm(draft, pin);
    if (pin.name === 'pnpm') writeFileSync(join(draft, WRAPPER, pin.program), LAUNCHER, { mode: 0o755 });
    if (!existsSync(folder)) renameSync(draft, folder);
  } catch (error) {
    // Another start was faster.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Not the whole lockfile: a package for another system is optional, and one that is refused would be left out quietly. */
function writeProject(folder, { name, version, integrity }) {
  const project = { name: 'pinned-pnpm', version: '0.0.0', dependencies: { [name]: version } };
  const packages = { '': project, [`node_modules/${name}`]: { version, integrity } };
  const lock = { name: project.name, version: project.version, lockfileVersion: 3, requires: true, packages };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(project));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
}

/** The package has none that every system can start without its install script. */
const LAUNCHER = '#!/bin/sh\nexec node "$(dirname "$0")/pnpm.mjs" "$@"\n';

const NPM_CI = ['ci', '--ignore-scripts', '--prefer-offline', '--package-lock', '--no-audit', '--no-fund'];

function fetchWithNpm(folder, { name, version }) {
  const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] };
  const { status, error, stderr } = spawnSync('npm', NPM_CI, options);
  if (status === 0) return;
  if (error) throw new Error(`npm does not start (${error.message}): install a Node that has it.`);
  if (stderr.includes('EINTEGRITY'))
    throw new Error(
      `${name} ${version} is not what scripts/pnpm/package-lock.json pins, so none of it was run: empty npm's cache with \`npm cache clean --force\` and try again, and if it stays so, tell the maintainers instead of changing the pin.`,
    );
  throw new Error(
    `${stderr}${name} ${version} could not be fetched: see the lines above, then run the command again.`,
  );
}
