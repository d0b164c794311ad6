import { readFile, rm } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { type Cluster, openCluster, readRememberedPort, rememberPort } from './cluster.ts';
import { findFreePort } from './free-port.ts';
import { runProgram } from './run-program.ts';
import { findRunningServer, type RunningServer, removeStalePidFile } from './running-server.ts';
import { findServerAccount, type ServerAccount } from './server-account.ts';
import { binariesIn, findServerBinaries } from './server-binaries.ts';

export interface EmbeddedPostgresOptions {
  /** The folder that keeps the data, the password and the port from one start to the next. */
  dataDir: string;
  /** Wanted port; another free one is taken when it is busy. The default is the one of the last start. */
  port?: number;
  /** More flags for the server, such as `['-c', 'max_connections=200']`. */
  postgresFlags?: string[];
  /** The folder with another PostgreSQL's `initdb` and `pg_ctl`, of version 15 or later, to run instead of the embedded one. */
  binDir?: string;
}

export interface EmbeddedPostgres {
  url: string;
  port: number;
  /** PostgreSQL's data directory; not under the folder asked for when the server's account cannot enter that. */
  dataDir: string;
  pid: number;
  /** The server was running already, left by an earlier run that was killed. */
  adopted: boolean;
  /** Stops the server. `fast` ends connections and writes a checkpoint; `immediate` is a crash. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

/**
 * Starts a real PostgreSQL on 127.0.0.1 over the data in `dataDir`, which is made on the first start.
 *
 * `pg_ctl` gives the server its own session: Ctrl-C in the terminal goes to the whole process group, and the server
 * must outlive the processes that write to it. Its fsync and synchronous_commit stay on, for a 202 is a promise.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = await findServerAccount();
  const { initdb, pgCtl } = options.binDir ? binariesIn(options.binDir) : await findServerBinaries(account);
  const cluster = await openCluster(options.dataDir, initdb, account);
  const earlier = await findRunningServer(cluster.dataDir);
  const server = earlier ?? (await startServer(pgCtl, cluster, account, options));

  return {
    url: `postgres://postgres:${cluster.password}@127.0.0.1:${server.port}/postgres`,
    port: server.port,
    dataDir: cluster.dataDir,
    pid: server.pid,
    adopted: earlier !== undefined,
    stop: (mode = 'fast') => stopServer(pgCtl, cluster, account, mode),
  };
}

/** A port can be taken between our look and the server's, and after a crash the last children of the old server hold
 *  its memory for a moment: so a start is tried for about five seconds. */
const START_TRIES = 10;
const TRY_AGAIN_MS = 500;

async function startServer(
  pgCtl: string,
  cluster: Cluster,
  account: ServerAccount,
  options: EmbeddedPostgresOptions,
): Promise<RunningServer> {
  for (let tries = 1; ; tries += 1) {
    try {
      await tryStart(pgCtl, cluster, account, options);
    } catch (error) {
      if (tries === START_TRIES) throw await explainFailure(cluster, error);
    }
    const server = await findRunningServer(cluster.dataDir);
    if (server) return server;
    await setTimeout(TRY_AGAIN_MS);
  }
}

async function tryStart(
  pgCtl: string,
  cluster: Cluster,
  account: ServerAccount,
  options: EmbeddedPostgresOptions,
) {
  await removeStalePidFile(cluster.dataDir);
  const port = await findFreePort(options.port ?? (await readRememberedPort(cluster)));
  await rm(cluster.logFile, { force: true });
  const flags = serverFlags(port, options.postgresFlags ?? []);
  await runProgram(
    pgCtl,
    ['start', '-D', cluster.dataDir, '-w', '-t', '60', '-l', cluster.logFile, '-o', flags],
    account,
  );
  await rememberPort(cluster, port);
}

/** Joins the server's flags into the one argument that `pg_ctl` hands to a shell, so each is quoted for it. */
function serverFlags(port: number, more: string[]): string {
  const flags = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
  const quiet = ['-c', 'log_checkpoints=off', '-c', 'timezone=UTC'];
  return [...flags, ...quiet, ...more].map((flag) => `'${flag.replaceAll("'", `'\\''`)}'`).join(' ');
}

async function explainFailure(cluster: Cluster, error: unknown): Promise<Error> {
  const log = await readFile(cluster.logFile, 'utf8').catch(() => '');
  const fatal = log.match(/^.*(?:FATAL|PANIC): .*$/m)?.[0] ?? log.trim().split('\n').at(-1);
  return new Error(`The embedded PostgreSQL did not start: ${fatal || error}`, { cause: error });
}

async function stopServer(
  pgCtl: string,
  cluster: Cluster,
  account: ServerAccount,
  mode: 'fast' | 'immediate',
) {
  if (!(await findRunningServer(cluster.dataDir))) return;
  try {
    await runProgram(pgCtl, ['stop', '-D', cluster.dataDir, '-w', '-t', '30', '-m', mode], account);
  } catch (error) {
    // It may have ended by itself between the look and the stop.
    if (await findRunningServer(cluster.dataDir)) throw error;
  }
}
