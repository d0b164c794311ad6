import { parsePublicId } from '@accepted/shared/core/job/id';
import { isTerminal } from '@accepted/shared/core/job/status';
import { waitUntil } from '@accepted/testing/wait-until';
import { listInEngine } from '../../world/ledger.ts';
import { untilAllHave } from '../../world/operate.ts';
import { statusesOf } from '../../world/worker-rows.ts';
import type { Node, World } from '../../world/world.ts';
import type { Fault, Surroundings } from '../fault.ts';
import { cutOff } from '../link/cut-off-leader.ts';
import { holdersOf } from '../targets.ts';
import { wipeEngine } from '../wipe-engine.ts';

const ENDS_WITHIN_MS = 9_500;
const KINDS = ['firstBuild', 'secondBuild', 'thirdBuild', 'addedBySecond', 'addedByThird'] as const;
/** What the third build alone takes is more than its worker runs at once, so that some of it is there to be wiped. */
const JOBS_EACH = 20;
const DONE_WITHIN_MS = 45_000;
const DISPATCHER = 'dispatcher of default';

/**
 * Rolls two other builds over a part of the workers, with schemas that take more and types that are new, has jobs for each of the
 * three, and goes back: the old ones restart last. While all three serve, who leads is cut off, and the engine is wiped. Each of the
 * jobs has one attempt, so that one which is burnt is seen.
 */
export const deployBuilds: Fault = {
  kind: 'builds-deployed',
  async inject(surroundings) {
    const { world } = surroundings;
    const leaders = await holdersOf(world, DISPATCHER);
    // Who leads goes on to: a build whose only worker is cut off is no longer in force, and what it alone takes is refused.
    const [first, second] = world.workers.filter((worker) => !leaders.includes(worker));
    if (!first || !second) throw new Error('there are too few workers for three builds');
    try {
      await restartAs(first, '2');
      await restartAs(second, '3');
      for (const build of ['2', '3']) await untilAllHave(world, `/v1/job-types/faults.added-${build}`);
      const { ids, proof } = await submitUnderFaults(surroundings);
      const statuses = await untilEnded(world, ids);
      const succeeded = statuses.filter((status) => status === 'succeeded').length;
      return {
        target: 'workers',
        proof: `three builds served at once; ${proof}; ${succeeded} of ${ids.length} jobs succeeded`,
      };
    } finally {
      for (const node of [second, first]) await restartAs(node, '1');
    }
  },
};

async function restartAs(node: Node, build: string): Promise<void> {
  await node.ready();
  node.setEnv({ FAULTS_BUILD: build });
  const { code, signal } = await node.end('SIGTERM', ENDS_WITHIN_MS);
  if (code !== 0) throw new Error(`${node.name} ended with ${signal ?? code}`);
  await node.ready();
}

/**
 * Has the jobs come while who leads is cut off, so that none of them is in its hands when its lease is lost, and wipes them from
 * the engine as soon as who follows has put them there; then the two race.
 */
async function submitUnderFaults({ world, random, submit }: Surroundings) {
  const leader = random.pick(await holdersOf(world, DISPATCHER));
  const cut = await cutOff(world, leader, DISPATCHER);
  try {
    const ids = await Promise.all(
      KINDS.flatMap((kind) => Array.from({ length: JOBS_EACH }, () => submit(kind))),
    );
    const areTheirs = (jobs: { jobId: string }[]) => jobs.filter(({ jobId }) => ids.includes(jobId));
    const followedMs = await cut.untilFollowed();
    await waitUntil(async () => areTheirs(await world.ledger.ask(listInEngine)).length > 0, {
      until: 'some of the jobs of three builds wait in the engine',
    });
    const { jobs } = await wipeEngine(world, 'builds-deployed');
    const proof = `another one led after ${followedMs} ms; ${areTheirs(jobs).length} of their jobs were wiped`;
    return { ids, proof };
  } finally {
    cut.heal();
  }
}

async function untilEnded(world: World, ids: string[]) {
  const uuids = ids.map((id) => parsePublicId('job', id) ?? '');
  const ask = () => world.ledger.ask((db) => statusesOf(db, uuids));
  await waitUntil(async () => (await ask()).every(isTerminal), {
    until: 'the jobs of all three builds have ended',
    timeoutMs: DONE_WITHIN_MS,
  });
  return await ask();
}
