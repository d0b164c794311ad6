import type { Engine } from '@accepted/shared/engine/engine';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { forgetBuilds, listBuildsToRemove, markLanesRemoved } from '@accepted/shared/ledger/workers/builds';
import type { Logger } from 'pino';
import { eachAlone } from '../each-alone.ts';
import { type Loop, startLoop } from '../loop.ts';
import type { OneService } from '../service-leases.ts';

const INTERVAL_MS = 10_000;
/** A build whose workers are just restarting keeps its lanes. */
const GONE_FOR_MS = 60_000;

/**
 * Starts the loop that removes from the engine what builds left there that ended a minute ago, and forgets builds that
 * are older than the retention. Nothing is lost by it: what waited in a lane was taken back when its build had gone, and a
 * build that comes back just then has the reconciler find what is missing. One worker does it for all of them.
 */
export function startLaneRemover(options: {
  db: Database;
  engine: Engine;
  service?: OneService | undefined;
  retentionDays: number;
  goneForMs?: number;
  logger: Logger;
  onError: (error: unknown) => void;
}): Loop {
  const { db, engine, service, retentionDays, goneForMs = GONE_FOR_MS, logger, onError } = options;

  async function removeLanes(buildId: string, queues: string[]): Promise<void> {
    for (const queue of queues) await engine.removeLane({ queue, buildId });
    await markLanesRemoved(db, buildId, goneForMs);
    logger.info({ buildId, queues }, 'removed the lanes of a build that no worker has any more');
  }

  async function runOnce(): Promise<number> {
    if (!engine.isReady()) return INTERVAL_MS;
    const gone = await listBuildsToRemove(db, goneForMs);
    await eachAlone(gone, ({ id, queues }) => removeLanes(id, queues), onError);
    await forgetBuilds(db, retentionDays);
    return INTERVAL_MS;
  }

  service?.onlyWhile(engine.isReady);
  return startLoop({ runOnce, retryAfterMs: INTERVAL_MS, onError, service });
}
