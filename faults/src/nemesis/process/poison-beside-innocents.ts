import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePublicId } from '@accepted/shared/core/job/id';
import { isTerminal } from '@accepted/shared/core/job/status';
import { waitUntil } from '@accepted/testing/wait-until';
import { BYSTANDERS_MAY_END } from '../../effect-log.ts';
import type { ProcessLine } from '../../logs.ts';
import { areRunning, haveNoJobs, statusesOf, wasGivenBack } from '../../world/worker-rows.ts';
import type { World } from '../../world/world.ts';
import type { Fault, Surroundings } from '../fault.ts';
import { exitOf } from './hostile-handler.ts';

/** As many as make it likely that each worker has some. */
const BYSTANDERS = 9;
const SEEN_WITHIN_MS = 25_000;
const ENDED_WITHIN_MS = 25_000;
/** A worker that has only just started has no long job, and is the first to take the poison. */
const TRIES = 3;

/**
 * Long jobs in the workers, and beside them one that kills its process at once and one that does so after it has
 * returned, until long ones were hit. It is over when those have ended: nothing else may take a worker from them that is
 * theirs alone.
 */
export const poisonBesideInnocents: Fault = {
  kind: 'poison-beside-innocents',
  async inject(surroundings) {
    const { world, submit } = surroundings;
    const gate = join(world.folder, BYSTANDERS_MAY_END);
    await rm(gate, { force: true });
    const bystanders = await Promise.all(Array.from({ length: BYSTANDERS }, () => submit('bystander')));
    const ids = bystanders.map((id) => parsePublicId('job', id) ?? '');
    try {
      await waitUntil(() => world.ledger.ask((db) => areRunning(db, ids)), {
        until: 'the long jobs run',
        timeoutMs: SEEN_WITHIN_MS,
      });
      return await poisonThem(surroundings, ids);
    } finally {
      await writeFile(gate, '');
      await allEnded(world, ids);
    }
  },
};

async function poisonThem({ world, submit }: Surroundings, bystanders: string[]) {
  for (let left = TRIES; left > 0; left -= 1) {
    const killed = await endedBy(
      world,
      ({ signal }) => signal === 'SIGKILL',
      () => submit('poison'),
    );
    const thrown = await endedBy(
      world,
      ({ code }) => code === 1,
      () => submit('throwing'),
    );
    await waitUntil(() => world.ledger.ask((db) => haveNoJobs(db, [killed.pid, thrown.pid])), {
      until: 'what both ran is taken from them',
      timeoutMs: SEEN_WITHIN_MS,
    });
    if (!(await world.ledger.ask((db) => wasGivenBack(db, bystanders)))) continue;
    const proof = `pid ${killed.pid} ended by SIGKILL, pid ${thrown.pid} with code 1, beside long jobs`;
    return { target: `${killed.name} and ${thrown.name}`, proof };
  }
  throw new Error('no worker that ended had a long job');
}

async function endedBy(
  world: World,
  isSuch: (line: ProcessLine) => boolean,
  submit: () => Promise<string>,
): Promise<ProcessLine> {
  const exited = exitOf(world, isSuch, AbortSignal.timeout(SEEN_WITHIN_MS));
  exited.catch(() => undefined);
  await submit();
  return exited;
}

async function allEnded(world: World, ids: string[]): Promise<void> {
  const haveEnded = async () => (await world.ledger.ask((db) => statusesOf(db, ids))).every(isTerminal);
  await waitUntil(haveEnded, { until: 'the long jobs have ended', timeoutMs: ENDED_WITHIN_MS });
}
