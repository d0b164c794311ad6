import { EventEmitter } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { generateWebhookSecret } from '@accepted/shared/ledger/tenants/tenants';
import { secretsKey } from '@accepted/testing/secrets-key';
import { spawnProcess } from '@accepted/testing/spawn-process';
import type { EngineKind } from '../kinds.ts';
import { makeCertificate, whyNoCertificates } from './certificates.ts';
import { type Journals, openJournals } from './journals.ts';
import { type LedgerView, openLedgerView, watchLeases, watchTransitions } from './ledger.ts';
import { type Links, openLinks } from './links.ts';
import { logHas, respondsTo } from './readiness.ts';
import { type Receiver, type ReceiverOptions, startReceiver } from './receiver.ts';
import { type RunPostgres, type RunRedis, startRunPostgres, startRunRedis } from './servers.ts';
import { type Supervised, supervise } from './supervised.ts';
import { addTenant } from './tenant.ts';

/** One of our processes with its ways to the servers. */
export interface Node extends Supervised {
  readonly links: Links;
}

/** Everything that a run starts: servers, our processes, the receiver of webhooks. */
export interface World {
  readonly engine: EngineKind;
  readonly folder: string;
  readonly apiKey: string;
  /** The API key of a second tenant. */
  readonly neighbourKey: string;
  readonly apiUrls: string[];
  readonly postgres: RunPostgres;
  readonly redis: RunRedis | undefined;
  readonly ledger: LedgerView;
  readonly receiver: Receiver;
  /** Left out where no certificates can be made. */
  readonly tlsReceiver: Receiver | undefined;
  /** The certificate that workers trust beside those of the system. */
  readonly trustedFile: string | undefined;
  /** The receiver of the second tenant, which is always polite. */
  readonly neighbour: Receiver;
  readonly journals: Journals;
  readonly apis: Node[];
  readonly workers: Node[];
  /** Emits `exited` with a `ProcessLine`. */
  readonly events: EventEmitter;
}

/** Modules that the processes of one kind load before anything else, as URLs. */
export interface Preloads {
  api?: string[];
  worker?: string[];
}

export interface WorldOptions {
  engine: EngineKind;
  folder: string;
  apis: number;
  workers: number;
  preloads?: Preloads;
  shutdownTimeoutMs?: number;
}

export const LEASE_MS = 3_000;
export const HEARTBEAT_MS = 500;
const SHUTDOWN_TIMEOUT_MS = 8_000;

const resolvePath = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const ROOT = '../../../';
const PROCESS_CONTROL = new URL('../preload/process-control.ts', import.meta.url).href;
const EXIT_WITH_PARENT = new URL(`${ROOT}scripts/exit-with-parent.mjs`, import.meta.url).href;
/** Compiled code is kept from one start to the next: processes are started often here. */
const COMPILE_CACHE = resolvePath(`${ROOT}node_modules/.cache/node-compile-cache`);

/** A worker whose handler leaks reaches this within seconds. */
const WORKER_HEAP_MB = 256;

export async function startWorld(options: WorldOptions): Promise<World> {
  const { engine, folder } = options;
  await mkdir(join(folder, 'log'), { recursive: true });
  await mkdir(join(folder, 'repaired'), { recursive: true });
  const journals = await openJournals(folder);
  const [postgres, redis] = await Promise.all([
    startRunPostgres(engine),
    engine === 'redis' ? startRunRedis() : undefined,
  ]);
  await migrate(postgres.databaseUrl);
  const ledger = openLedgerView(postgres.databaseUrl);
  await ledger.ask(watchTransitions);
  await ledger.ask(watchLeases);
  const secret = generateWebhookSecret();
  const journal = journals.receiver;
  const receiver = await startReceiver({ secret, journal });
  const tls = await makeCertificates(folder);
  const tlsReceiver = tls && (await startReceiver({ secret, journal, tls }));
  const neighbourSecret = generateWebhookSecret();
  const neighbour = await startReceiver({ secret: neighbourSecret, journal });
  const neighbourKey = await ledger.ask((db) => addTenant(db, neighbourSecret));
  const apiKey = generateApiKey().text;
  const started: Base = {
    engine,
    folder,
    apiKey,
    neighbourKey,
    postgres,
    redis,
    ledger,
    receiver,
    tlsReceiver,
    trustedFile: tls?.trusted.file,
    neighbour,
    journals,
    events: new EventEmitter(),
    shutdownTimeoutMs: options.shutdownTimeoutMs ?? SHUTDOWN_TIMEOUT_MS,
  };
  const apiPorts = await Promise.all(Array.from({ length: options.apis }, () => findFreePort()));
  const apis = await Promise.all(
    apiPorts.map((port, index) => startApi(started, index + 1, port, secret, options.preloads?.api)),
  );
  const workers = await Promise.all(
    Array.from({ length: options.workers }, (_, index) =>
      startWorker(started, index + 1, options.preloads?.worker),
    ),
  );
  await Promise.all([...apis, ...workers].map((node) => node.ready()));
  return { ...started, apiUrls: apiPorts.map((port) => `http://127.0.0.1:${port}`), apis, workers };
}

async function makeCertificates(folder: string): Promise<ReceiverOptions['tls']> {
  if (await whyNoCertificates()) return undefined;
  return {
    trusted: await makeCertificate(folder, 'trusted'),
    untrusted: await makeCertificate(folder, 'untrusted'),
  };
}

async function migrate(databaseUrl: string): Promise<void> {
  await using migration = spawnProcess('apps/migrate/src/main.ts', { env: { DATABASE_URL: databaseUrl } });
  const { code } = await migration.exited;
  if (code !== 0) throw new Error(`The migration failed:\n${migration.lines.join('\n')}`);
}

type Base = Omit<World, 'apis' | 'workers' | 'apiUrls'> & { readonly shutdownTimeoutMs: number };

function startApi(
  world: Base,
  slot: number,
  port: number,
  secret: string,
  preloads: string[] = [],
): Promise<Node> {
  const url = `http://127.0.0.1:${port}`;
  return startNode(world, {
    name: `api-${slot}`,
    program: resolvePath(`${ROOT}apps/api/src/main.ts`),
    nodeFlags: [],
    preloads,
    env: {
      PORT: String(port),
      BOOTSTRAP_API_KEY: world.apiKey,
      BOOTSTRAP_WEBHOOK_SECRET: secret,
      LOG_LEVEL: 'warn',
    },
    isReady: () => respondsTo(`${url}/livez`),
  });
}

function startWorker(world: Base, slot: number, preloads: string[] = []): Promise<Node> {
  const name = `worker-${slot}`;
  const logFile = join(world.folder, 'log', `${name}.log`);
  return startNode(world, {
    name,
    program: resolvePath(`${ROOT}apps/worker/src/main.ts`),
    nodeFlags: [`--max-old-space-size=${WORKER_HEAP_MB}`],
    preloads,
    env: {
      JOBS_DIR: resolvePath('../../jobs'),
      ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
      LEASE_MS: String(LEASE_MS),
      HEARTBEAT_MS: String(HEARTBEAT_MS),
      ...(world.trustedFile !== undefined && { NODE_EXTRA_CA_CERTS: world.trustedFile }),
    },
    isReady: (logFrom) => logHas(logFile, logFrom, 'worker started'),
  });
}

interface NodeOptions {
  name: string;
  program: string;
  nodeFlags: string[];
  preloads: string[];
  env: Record<string, string>;
  isReady: (logFrom: number) => Promise<boolean>;
}

async function startNode(world: Base, options: NodeOptions): Promise<Node> {
  const { name, program, env, isReady } = options;
  const links = await openLinks({
    databaseUrl: world.postgres.databaseUrl,
    postgresPort: world.postgres.port,
    redisUrl: world.redis?.url,
  });
  const preloads = [EXIT_WITH_PARENT, PROCESS_CONTROL, ...options.preloads];
  const supervised = supervise({
    name,
    program,
    nodeFlags: [...options.nodeFlags, ...preloads.map((url) => `--import=${url}`)],
    env: {
      ...env,
      ...links.env,
      SECRETS_KEY: secretsKey,
      SHUTDOWN_TIMEOUT_MS: String(world.shutdownTimeoutMs),
      NODE_COMPILE_CACHE: COMPILE_CACHE,
    },
    cwd: world.folder,
    logFile: join(world.folder, 'log', `${name}.log`),
    isReady,
    onEvent(line) {
      void world.journals.processes.write(line);
      world.events.emit(line.event, line);
    },
  });
  return Object.defineProperties({} as Node, {
    ...Object.getOwnPropertyDescriptors(supervised),
    links: { value: links },
  });
}
