import { fileURLToPath } from 'node:url';
import type { SpawnedProcess } from '@accepted/testing/spawn-process';
import { acceptedRedis, startAcceptedWorker } from '../contenders/accepted/accepted.ts';
import type { Api, Contender } from '../contenders/contender.ts';
import { makePayload } from '../payload.ts';
import type { Servers } from '../world/servers.ts';
import { openStores, type Stores } from '../world/stores.ts';
import {
  countBefore,
  countUsual,
  fillBacklog,
  fillFinished,
  findHeld,
  makePastWeeks,
  onlyTenant,
  settleLedger,
} from './fill-ledger.ts';
import type { LedgerSize } from './growth-part.ts';

/** Accepted on a ledger that is filled: an API runs, and workers only while they are measured. */
export interface LedgerWorld extends AsyncDisposable {
  readonly stores: Stores;
  readonly api: Api;
  readonly tenantId: string;
  readonly size: LedgerSize;
  /** Accepted, whose workers leave the backlog alone, and which is done without it. */
  readonly contender: Contender;
  /** Accepted, whose workers take the backlog, and which is done when the first jobs of it are taken. */
  takingBacklog(jobs: number): Promise<Contender>;
  /** Adds to the backlog. */
  addBacklog(jobs: number): Promise<void>;
  /** Adds until there are so many, as if it had always been so. */
  grow(to: LedgerSize): Promise<void>;
}

const HELD_JOBS_DIR = fileURLToPath(new URL('jobs', import.meta.url));
const PAYLOAD_BYTES = 200;

/** Opens a world on empty stores; worlds that exist at once need Redis databases of their own. */
export async function openLedgerWorld(
  servers: Servers,
  redisDatabase: number,
  onProgress: (line: string) => void,
): Promise<LedgerWorld> {
  await using stack = new AsyncDisposableStack();
  const opened = stack.use(await openStores(servers));
  const stores = { ...opened, redisUrl: `${opened.redisUrl}/${redisDatabase}` };
  await acceptedRedis.prepare(stores);
  await makePastWeeks(stores.postgres);
  const api = await acceptedRedis.startApi(stores);
  stack.use(api.process);
  const tenantId = await onlyTenant(stores.postgres);
  const size = { backlog: 0, finished: 0 };
  const payloadJson = JSON.stringify(makePayload(0, PAYLOAD_BYTES));
  const filling = { postgres: stores.postgres, tenantId, payloadJson, onProgress };
  const owned = stack.move();
  return {
    stores,
    api,
    tenantId,
    size,
    contender: { ...acceptedRedis, countUnfinished: ({ postgres }) => countUsual(postgres) },
    async takingBacklog(jobs) {
      const next = await findHeld(stores.postgres, tenantId, jobs);
      return {
        ...acceptedRedis,
        startWorker: startBacklogWorker,
        countUnfinished: ({ postgres }) => countBefore(postgres, tenantId, next),
      };
    },
    addBacklog: (jobs) => fillBacklog({ ...filling, jobs }),
    async grow(to) {
      await fillBacklog({ ...filling, jobs: to.backlog - size.backlog });
      await fillFinished({ ...filling, jobs: to.finished - size.finished });
      await settleLedger(stores.postgres);
      Object.assign(size, to);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Starts a worker that takes the backlog. */
export function startBacklogWorker(stores: Stores): Promise<SpawnedProcess> {
  return startAcceptedWorker(stores, { JOBS_DIR: HELD_JOBS_DIR });
}
