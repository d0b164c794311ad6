import { announce } from './announce.ts';
import { checkSurroundings } from './check-surroundings.ts';
import { inheritedEnvironment, type QuickstartConfig } from './config.ts';
import { holdFolder } from './hold-folder.ts';
import { migrate, startDatabase } from './prepare-database.ts';
import { readableLine } from './readable-line.ts';
import { keepSecrets, type Secrets } from './secrets.ts';
import { showStep } from './show-step.ts';
import { StartError } from './start-error.ts';
import { type Supervised, supervise } from './supervise.ts';
import { waitUntilReady } from './wait-until-ready.ts';
import { watchSources } from './watch-sources.ts';

/** How long a program may take to end. Together with PostgreSQL's own end these stay below ten seconds. */
const ENDS_WITHIN_MS = { api: 2_500, worker: 4_000 };
/** What a program gets on top before it is killed. */
const GRACE_MS = 500;

/**
 * Starts PostgreSQL, the worker and the api, and prints how to use them. What it starts it puts on `started`, whose
 * order of disposal is the order to end in; `told` aborts the start between two steps. Throws a `StartError` for
 * whatever the user can mend; the signal that it answers aborts with one when a program cannot go on later.
 */
export async function startEverything(
  config: QuickstartConfig,
  started: AsyncDisposableStack,
  told: AbortSignal,
): Promise<AbortSignal> {
  process.stdout.write('Accepted is starting\n');
  await checkSurroundings(config);
  const databaseUrl = config.DATABASE_URL ?? (await startOwnDatabase(config.STATE_DIR, started));
  told.throwIfAborted();
  const isUsersOwn = config.DATABASE_URL !== undefined;
  await showStep('Database schema', () => migrate(databaseUrl, isUsersOwn));
  told.throwIfAborted();

  const access = await chooseAccess(config);
  const isWatching = process.argv.includes('--watch');
  const failing = new AbortController();
  const onFaulty = (name: string) => {
    if (isWatching) process.stdout.write(`The ${name} waits for its sources to change\n`);
    else failing.abort(new StartError(`The ${name} cannot start: mend what its lines above say`));
  };
  const programs = startPrograms(programEnvironment(config, databaseUrl, access), started, onFaulty);
  if (isWatching) watchPrograms(programs, config, started);
  const signal = AbortSignal.any([told, failing.signal]);
  await showStep('API and worker', () => waitUntilReady(access.url, databaseUrl, programs, signal));
  process.stdout.write(announce({ ...access, hasExamples: inheritedEnvironment().JOBS_DIR === undefined }));
  return failing.signal;
}

async function startOwnDatabase(stateDir: string, started: AsyncDisposableStack): Promise<string> {
  started.defer(await holdFolder(stateDir));
  const server = await showStep('PostgreSQL', () => startDatabase(stateDir));
  started.defer(() => server.stop());
  return server.url;
}

type Access = Secrets & { url: string };

/** Takes the secrets that the user has set, and those of this installation for the rest. */
async function chooseAccess(config: QuickstartConfig): Promise<Access> {
  const { HOST, PORT, BOOTSTRAP_API_KEY, BOOTSTRAP_WEBHOOK_SECRET, SECRETS_KEY, ADMIN_PASSWORD } = config;
  const secrets = await keepSecrets(config.STATE_DIR);
  const host = HOST === '0.0.0.0' ? '127.0.0.1' : HOST;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${PORT}`,
    apiKey: BOOTSTRAP_API_KEY ?? secrets.apiKey,
    adminPassword: ADMIN_PASSWORD ?? secrets.adminPassword,
    webhookSecret: BOOTSTRAP_WEBHOOK_SECRET ?? secrets.webhookSecret,
    secretsKey: SECRETS_KEY ?? secrets.secretsKey,
  };
}

function programEnvironment(
  config: QuickstartConfig,
  databaseUrl: string,
  access: Access,
): NodeJS.ProcessEnv {
  return {
    ...inheritedEnvironment(),
    HOST: config.HOST,
    PORT: String(config.PORT),
    DATABASE_URL: databaseUrl,
    JOBS_DIR: config.JOBS_DIR,
    LOG_LEVEL: config.LOG_LEVEL,
    HANDLER_LOG_LEVEL: config.HANDLER_LOG_LEVEL,
    BOOTSTRAP_API_KEY: access.apiKey,
    BOOTSTRAP_WEBHOOK_SECRET: access.webhookSecret,
    SECRETS_KEY: access.secretsKey,
    ADMIN_PASSWORD: access.adminPassword,
    // Only here: elsewhere a job could reach what listens on the machine itself.
    ALLOW_PRIVATE_NETWORKS: ['127.0.0.0/8', '::1/128', ...config.ALLOW_PRIVATE_NETWORKS].join(','),
  };
}

function startPrograms(
  env: NodeJS.ProcessEnv,
  started: AsyncDisposableStack,
  onFaulty: (name: string) => void,
) {
  const start = (name: 'api' | 'worker') => {
    const timeoutMs = ENDS_WITHIN_MS[name];
    const program = supervise({
      name,
      file: `apps/${name}/src/main.ts`,
      env: { ...env, SHUTDOWN_TIMEOUT_MS: String(timeoutMs) },
      say: (text) => {
        for (const line of readableLine(text).split('\n')) process.stdout.write(`${name}: ${line}\n`);
      },
      onFaulty: () => onFaulty(name),
    });
    started.defer(() => program.stop(timeoutMs + GRACE_MS));
    return program;
  };
  const worker = start('worker');
  return { worker, api: start('api') };
}

function watchPrograms(
  programs: Record<string, Supervised>,
  { JOBS_DIR }: QuickstartConfig,
  started: AsyncDisposableStack,
): void {
  const watching = watchSources(JOBS_DIR, () => {
    process.stdout.write('The sources have changed: starting the api and the worker again\n');
    for (const program of Object.values(programs)) program.restart(ENDS_WITHIN_MS.api);
  });
  started.defer(() => watching.close());
}
