import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import { type Journals, openJournals } from '../world/journals.ts';
import type { LedgerView } from '../world/ledger.ts';
import { logHas, respondsTo } from '../world/readiness.ts';
import { type RunRedis, startRunRedis } from '../world/servers.ts';
import { type Supervised, supervise } from '../world/supervised.ts';

/** What the control consists of: Redis, and bare BullMQ in an API and some workers. */
export interface ControlWorld {
  readonly engine: 'redis';
  readonly folder: string;
  readonly apiKey: string;
  readonly apiUrls: string[];
  readonly redis: RunRedis;
  readonly journals: Journals;
  readonly apis: Supervised[];
  readonly workers: Supervised[];
  readonly ledger: LedgerView;
}

const APIS = 2;
const WORKERS = 3;
const EXIT_WITH_PARENT = new URL('../../../scripts/exit-with-parent.mjs', import.meta.url).href;

export async function startControlWorld(folder: string): Promise<ControlWorld> {
  await mkdir(join(folder, 'log'), { recursive: true });
  const journals = await openJournals(folder);
  const redis = await startRunRedis();
  const ports = await Promise.all(Array.from({ length: APIS }, () => findFreePort()));
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const start = (name: string, file: string, env: Record<string, string>, isReady: Readiness) => {
    const logFile = join(folder, 'log', `${name}.log`);
    return supervise({
      name,
      program: fileURLToPath(new URL(file, import.meta.url)),
      nodeFlags: [`--import=${EXIT_WITH_PARENT}`],
      env: { REDIS_URL: redis.url, ...env },
      cwd: folder,
      logFile,
      isReady: (logFrom) => isReady(logFile, logFrom),
      onEvent: (line) => void journals.processes.write(line),
    });
  };
  const apis = ports.map((port, index) =>
    start(`api-${index + 1}`, 'api.ts', { PORT: String(port) }, () => respondsTo(`${urls[index]}/livez`)),
  );
  const workers = Array.from({ length: WORKERS }, (_, index) =>
    start(`worker-${index + 1}`, 'worker.ts', {}, (log, from) => logHas(log, from, 'worker started')),
  );
  await Promise.all([...apis, ...workers].map((node) => node.ready()));
  const started = { engine: 'redis', folder, apiKey: '', apiUrls: urls, redis, journals } as const;
  return { ...started, apis, workers, ledger: NO_LEDGER };
}

type Readiness = (logFile: string, logFrom: number) => Promise<boolean>;

/** Bare BullMQ has no ledger: nobody can say what a wipe has taken. */
const NO_LEDGER: LedgerView = {
  ask: <T>() => Promise.resolve([] as T),
  close: () => Promise.resolve(),
};
