import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../packages/testing/src/find-program.ts';
import { runProgram } from '../test/run-program.ts';

const MODEL = fileURLToPath(new URL('../../model/ledger.pml', import.meta.url));
const MOST_MB = 4_000;
/** Longer than any path through the model. */
const MOST_STEPS = 1_000_000;

/** What the model asserts, by how the search spells it (`model/ledger.pml`). */
const ASSERTIONS = {
  onePlace: /ready\[0\]\+blocked\[0\]/,
  oneSlot: /violated \(\(flight\[0\]\+flight\[1\]\)<=1\)/,
  window: /flight\[0\]\+flight\[2\]/,
  oneRun: /runs\[/,
  passes: /knownPass/,
  allDone: /outcomes\[0\]==1/,
};

/** A way of checking the model: with all guards, or without one. */
export interface ModelRun {
  title: string;
  defines: readonly string[];
  /** What leaving the guard out breaks, and what comes of that; nothing may be broken where none is left out. */
  breaks?: { assertion: keyof typeof ASSERTIONS; so: string };
}

export interface ModelResult extends ModelRun {
  /** Whether it came out as it must: no trace with all guards, one to the right assertion without. */
  isRight: boolean;
  states: number;
  /** The assertion that was violated, as the search spells it. */
  violated: string | undefined;
}

const all = (crashes: number): ModelRun => ({
  title: `all guards, ${crashes === 0 ? 'no crash' : `${crashes} crash anywhere`}`,
  defines: [`CRASHES=${crashes}`],
});

const without = (guard: string, title: string, assertion: keyof typeof ASSERTIONS, so: string): ModelRun => ({
  title: `without ${title}`,
  defines: ['CRASHES=1', guard],
  breaks: { assertion, so },
});

/** Each guard that is left out must be missed. */
const WITHOUT: readonly ModelRun[] = [
  without(
    'NO_ROUND',
    'the round of the queue',
    'window',
    'two dispatchers put more into flight than the window holds',
  ),
  without('NO_SLOT', 'the lock of the key', 'oneSlot', 'two transactions give the slot away'),
  without(
    'NO_HEAR',
    'hearing once more',
    'allDone',
    'a tenant is forgotten whose job came while its line was taken away',
  ),
  without('NO_LANDING', 'telling what left flight', 'allDone', 'nobody sees that there is room again'),
  without(
    'NO_POLL',
    'looking at keys held in other queues',
    'allDone',
    'a job waits for a slot that came free there',
  ),
  without(
    'NO_CLAIM',
    'one claim for a dispatch',
    'oneRun',
    'two workers run a job that was dispatched twice',
  ),
  without(
    'NO_FENCE',
    'the fencing token',
    'onePlace',
    'a worker that was given up ends a job that is with another',
  ),
  without('NO_RECONCILER', 'the reconciler', 'allDone', 'what the engine lost is lost'),
  without(
    'NO_LANE',
    'taking back from builds that are gone',
    'allDone',
    'a job stays in a lane that nobody serves',
  ),
  without(
    'NO_PASS_FENCE',
    'the fence of the passes',
    'passes',
    'one who has not had the last turn stores less than is stored',
  ),
];

/** The sizes: what `npm test` can afford, and with a crash anywhere. */
export const SIZES = {
  small: [all(0), ...WITHOUT],
  standard: [all(0), all(1), ...WITHOUT],
} as const satisfies Record<string, readonly ModelRun[]>;

/** Says what is missing on this machine to check the model; `undefined`: nothing. */
export function whyNot(): string | undefined {
  const missing = ['spin', 'gcc'].filter((name) => !findProgram([name]));
  return missing.length === 0 ? undefined : `${missing.join(' and ')} cannot be found`;
}

/** Visits every state that the model can be in (Spin's exhaustive search). Throws when the tools fail. */
export async function checkModel(run: ModelRun): Promise<ModelResult> {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-model-'));
  try {
    const flags = run.defines.map((define) => `-D${define}`);
    await must('spin', ['-a', ...flags, MODEL], folder);
    await must(
      'gcc',
      ['-O1', '-w', '-DSAFETY', '-DCOLLAPSE', `-DMEMLIM=${MOST_MB}`, '-o', 'pan', 'pan.c'],
      folder,
    );
    const output = await must(join(folder, 'pan'), [`-m${MOST_STEPS}`], folder);
    return { ...run, ...readOutput(output, run) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function must(program: string, args: string[], folder: string): Promise<string> {
  const { code, output } = await runProgram(program, args, {}, folder);
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${output}`);
  return output;
}

/** What `pan` prints: `State-vector … errors: 0`, `… states, stored`, and that the search is not whole when it had no room. */
function readOutput(
  output: string,
  { breaks }: ModelRun,
): Pick<ModelResult, 'isRight' | 'states' | 'violated'> {
  const errors = /errors: (\d+)/.exec(output)?.[1];
  if (errors === undefined) throw new Error(`The search said nothing of errors:\n${output}`);
  const isWhole = !/Search not completed|max search depth too small|out of memory/i.test(output);
  const violated = /^pan:\d+: (.*)$/m.exec(output)?.[1];
  return {
    isRight: breaks ? ASSERTIONS[breaks.assertion].test(violated ?? '') : errors === '0' && isWhole,
    states: Number(/(\d+(?:\.\d+)?(?:e[+]\d+)?) states, stored/.exec(output)?.[1]),
    violated,
  };
}
