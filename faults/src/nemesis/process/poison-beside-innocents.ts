import { parsePublicId } from '@accepted/shared/job/id';
import { isTerminal } from '@accepted/shared/job/status';
import { waitUntil } from '@accepted/testing/wait-until';
import { areRunning, statusesOf } from '../../world/worker-rows.ts';
import type { World } from '../../world/world.ts';
import type { Fault } from '../fault.ts';
import { exitOf } from './hostile-handler.ts';

/** As many as make it likely that each worker has some. */
const BYSTANDERS = 9;
const SEEN_WITHIN_MS = 25_000;
const ENDED_WITHIN_MS = 55_000;

/**
 * Long jobs in every worker, and beside them one that kills its process at once and one that does so after it has
 * returned. It is over when the long ones have ended: nothing else may take a worker from them that is theirs alone.
 */
export const poisonBesideInnocents: Fault = {
  kind: 'poison-beside-innocents',
  async inject({ world, submit }) {
    const bystanders = await Promise.all(Array.from({ length: BYSTANDERS }, () => submit('bystander')));
    const ids = bystanders.map((id) => parsePublicId('job', id) ?? '');
    await waitUntil(() => world.ledger.ask((db) => areRunning(db, ids)), {
      until: 'the long jobs run',
      timeoutMs: SEEN_WITHIN_MS,
    });
    const killed = exitOf(world, ({ signal }) => signal === 'SIGKILL', AbortSignal.timeout(SEEN_WITHIN_MS));
    killed.catch(() => undefined);
    const poison = await submit('poison');
    const { name, pid } = await killed;
    const thrown = exitOf(world, ({ code }) => code === 1, AbortSignal.timeout(SEEN_WITHIN_MS));
    thrown.catch(() => undefined);
    const throwing = await submit('throwing');
    const second = await thrown;
    await allEnded(world, ids);
    const proof = `pid ${pid} ended by SIGKILL with ${poison}, pid ${second.pid} with code 1 after ${throwing}`;
    return { target: `${name} and ${second.name}`, proof };
  },
};

async function allEnded(world: World, ids: string[]): Promise<void> {
  const haveEnded = async () => (await world.ledger.ask((db) => statusesOf(db, ids))).every(isTerminal);
  await waitUntil(haveEnded, { until: 'the long jobs have ended', timeoutMs: ENDED_WITHIN_MS });
}
