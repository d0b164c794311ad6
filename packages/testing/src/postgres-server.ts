import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@accepted/embedded-postgres/start-embedded-postgres';
import { findSystemPostgres } from './find-program.ts';
import { guardServer } from './guard.ts';

/** A PostgreSQL of the test's own: one that it may crash. */
export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly dataDir: string;
  /** Where its programs are; `undefined`: those of the embedded one. */
  readonly binDir: string | undefined;
  /** `immediate` is a crash: connections are cut, nothing is written down. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Starts it again after a stop, on the same data and port. */
  start(): Promise<void>;
  /** Crashes it and removes its data. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Which PostgreSQL: `embedded`, the newest, or `system`, the oldest of the supported ones that is installed, with the
 * settings that it comes with, JIT and all. Where none is installed, `system` is the embedded one as well.
 */
export type PostgresKind = 'embedded' | 'system';

/** Names the PostgreSQL that an engine is tested on, so that each is tested once, and both are. */
export function postgresFor(engine: 'redis' | 'postgres'): PostgresKind {
  return engine === 'redis' ? 'system' : 'embedded';
}

/** Starts a PostgreSQL with empty data in a temporary folder; it ends with this process at the latest. */
export async function startPostgresServer(
  postgresFlags: string[] = [],
  kind: PostgresKind = 'embedded',
): Promise<PostgresServer> {
  const binDir = kind === 'system' ? findSystemPostgres() : undefined;
  return await openPostgresServer(await makeServerFolder(), postgresFlags, binDir);
}

/** Makes a temporary folder for the data of a server. */
export async function makeServerFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-postgres-'));
  // As root the server runs as `postgres`, who has to pass through.
  await chmod(folder, 0o711);
  return folder;
}

/** Starts a PostgreSQL over the data that is in the folder, or over empty data where there is none. */
export async function openPostgresServer(
  folder: string,
  postgresFlags: string[],
  binDir: string | undefined,
): Promise<PostgresServer> {
  const open = () => startEmbeddedPostgres({ dataDir: folder, postgresFlags, ...(binDir && { binDir }) });
  let server = await open();
  const end = guardServer(join(server.dataDir, 'postmaster.pid'), 'QUIT', folder);
  return {
    url: server.url,
    port: server.port,
    dataDir: server.dataDir,
    binDir,
    get pid() {
      return server.pid;
    },
    stop: (mode) => server.stop(mode),
    async start() {
      server = await open();
    },
    async [Symbol.asyncDispose]() {
      await server.stop('immediate');
      await end();
    },
  };
}
