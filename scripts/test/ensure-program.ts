import { findProgram } from '../../packages/testing/src/find-program.ts';
import { runProgram } from './run-program.ts';
import { FAILED, PASSED, type Tally } from './tally.ts';

/** What a program is called in the package managers that can be asked for it. */
export interface Packages {
  apt: string;
  /** The arguments of `brew install`. */
  brew: string[];
  /** Is done before apt installs the package. */
  prepare?: () => Promise<void>;
  /** What the tests do without it, as a clause; it is no fault then. */
  otherwise?: string;
}

/** Makes sure that the tests find a program: installs it, where that needs no password, or says what to do. */
export async function ensureProgram(
  name: string,
  find: () => string | undefined,
  packages: Packages,
): Promise<Tally> {
  process.stdout.write(`${name} ... `);
  if (!find()) await install(packages);
  const program = find();
  if (program === undefined && packages.otherwise !== undefined) {
    process.stdout.write(`${packages.otherwise}\n`);
    return PASSED;
  }
  process.stdout.write(program ? `${program}\n` : `MISSING: ${adviceFor(name, packages)}\n`);
  return program ? PASSED : FAILED;
}

async function install({ apt, brew, prepare }: Packages): Promise<void> {
  if (findProgram(['apt-get']) && process.getuid?.() === 0) {
    process.stdout.write(`installing the package ${apt} ... `);
    await runProgram('apt-get', ['update']);
    await prepare?.();
    const args = ['install', '-y', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold', apt];
    await runProgram('apt-get', args, { DEBIAN_FRONTEND: 'noninteractive' });
  } else if (findProgram(['brew'])) {
    process.stdout.write(`installing ${brew.at(-1)} with Homebrew ... `);
    await runProgram('brew', ['install', ...brew]);
  }
}

function adviceFor(name: string, { apt }: Packages): string {
  return `the tests need ${name} on the PATH; install it (Debian and Ubuntu: sudo apt-get install ${apt}) and run them again`;
}
