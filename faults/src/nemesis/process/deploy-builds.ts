import { parsePublicId } from '@accepted/shared/core/job/id';
import { isTerminal } from '@accepted/shared/core/job/status';
import { waitUntil } from '@accepted/testing/wait-until';
import { untilAllHave } from '../../world/operate.ts';
import { statusesOf } from '../../world/worker-rows.ts';
import type { Node } from '../../world/world.ts';
import type { Fault } from '../fault.ts';

const ENDS_WITHIN_MS = 9_500;
const JOBS_EACH = 10;
const DONE_WITHIN_MS = 45_000;

/**
 * Rolls two other builds over a part of the workers, with schemas that take more and types that are new, has jobs for each of the
 * three, and goes back: the old ones restart last. Each of the jobs has one attempt, so that one which is burnt is seen.
 */
export const deployBuilds: Fault = {
  kind: 'builds-deployed',
  async inject({ world, submit }) {
    const [first, second] = world.workers;
    if (!first || !second) throw new Error('there are too few workers for three builds');
    try {
      await restartAs(first, '2');
      await restartAs(second, '3');
      for (const build of ['2', '3']) await untilAllHave(world, `/v1/job-types/faults.added-${build}`);
      const kinds = ['firstBuild', 'secondBuild', 'thirdBuild', 'addedBySecond', 'addedByThird'] as const;
      const ids = await Promise.all(
        kinds.flatMap((kind) => Array.from({ length: JOBS_EACH }, () => submit(kind))),
      );
      const uuids = ids.map((id) => parsePublicId('job', id) ?? '');
      const haveEnded = async () =>
        (await world.ledger.ask((db) => statusesOf(db, uuids))).every((status) => isTerminal(status));
      await waitUntil(haveEnded, {
        until: 'the jobs of all three builds have ended',
        timeoutMs: DONE_WITHIN_MS,
      });
      const statuses = await world.ledger.ask((db) => statusesOf(db, uuids));
      const succeeded = statuses.filter((status) => status === 'succeeded').length;
      return {
        target: 'workers',
        proof: `three builds served at once; ${succeeded} of ${ids.length} jobs succeeded`,
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
