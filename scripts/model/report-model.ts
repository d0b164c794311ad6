import { availableParallelism } from 'node:os';
import { FAILED, PASSED, SKIPPED, type Tally } from '../test/tally.ts';
import { checkModel, type ModelResult, type ModelRun, SIZES, whyNot } from './check-model.ts';

/** Checks the model, and tells of each run as it ends. */
export async function reportModel(size: keyof typeof SIZES): Promise<Tally[]> {
  const missing = whyNot();
  if (missing !== undefined) {
    process.stdout.write(
      `Model ... SKIPPED: ${missing} (Debian and Ubuntu: sudo apt-get install spin gcc)\n`,
    );
    return [SKIPPED];
  }
  const tallies: Tally[] = [];
  const runs: readonly ModelRun[] = SIZES[size];
  const left = runs.values();
  const checkOneByOne = async () => {
    for (const run of left) {
      const result = await checkModel(run);
      process.stdout.write(`Model, ${run.title} ... ${describe(result)}\n`);
      tallies.push(result.isRight ? PASSED : FAILED);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, checkOneByOne));
  return tallies;
}

function describe({ breaks, isRight, states, violated }: ModelResult): string {
  if (!isRight) return `FAILED: ${violated ?? 'no trace was found, or the search was not completed'}`;
  return breaks ? `found: ${breaks.so}` : `ok (${states.toLocaleString('en-US')} states, all visited)`;
}
