import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '@accepted/embedded-postgres/free-port';
import { generateApiKey } from '@accepted/shared/ledger/tenants/api-keys';
import { generateWebhookSecret } from '@accepted/shared/ledger/tenants/tenants';
import { startPostgresServer } from '@accepted/testing/postgres-server';
import { startRedisServer } from '@accepted/testing/redis-server';
import { secretsKey } from '@accepted/testing/secrets-key';
import { type SpawnedProcess, spawnProcess } from '@accepted/testing/spawn-process';
import { waitUntil } from '@accepted/testing/wait-until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSbom, type Sbom } from '../../scripts/supply-chain/sbom.ts';
import { type ComposeService, environmentOf, ROOT, readComposeFile } from './compose-file.ts';
import { buildStages, type Stage } from './image-stages.ts';

const { services } = readComposeFile();
const API_KEY = generateApiKey().text;
let folder: string;
let stages: Map<string, Stage>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'accepted-image-'));
  stages = await buildStages(ROOT, folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }), 120_000);

describe('the image', () => {
  test('runs as a user that is not root, on the very Node that the tests run on', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    for (const name of ['accepted', 'examples']) expect(stageOf(name).user).toBe('node');
    expect(stageOf('accepted').base).toBe(`node:${devDependencies.node}-bookworm-slim`);
  });

  test('has no embedded PostgreSQL, no test tools and, without the examples, none of their packages', () => {
    const packages = installedPackages('accepted').join('\n');
    expect(packages).toMatch(/^fastify@/m);
    expect(packages).not.toMatch(
      /^(vitest|node|typescript|@biomejs.+|@embedded-postgres.+|sharp|csv-parse)@/m,
    );
    expect(installedPackages('examples').join('\n')).toMatch(/^csv-parse@/m);
  });

  test.each(['accepted', 'examples'])(
    '%s has an SBOM of the very packages that are installed in it',
    async (name) => {
      const text = readFileSync(join(stageOf(name).folder, 'app/sbom.cdx.json'), 'utf8');
      expect((await checkSbom(text)).kind).toBe('fine');
      const purls = (JSON.parse(text) as Sbom).components.map(({ purl }) => decodeURIComponent(purl));
      const ofRegistry = purls.filter((purl) => !purl.startsWith('pkg:npm/@accepted/'));
      expect(new Set(ofRegistry)).toEqual(new Set(installedPackages(name).flatMap(purlOf)));
    },
  );

  test('has no package manager', () => {
    for (const name of ['accepted', 'examples']) {
      const files = readdirSync(join(stageOf(name).folder, 'app/node_modules'));
      expect([name, files.includes('.cache'), files.includes('.pnpm')]).toEqual([name, false, true]);
    }
  });

  test('has no test files and no secrets', () => {
    const files = readdirSync(join(folder, 'context'), { recursive: true, encoding: 'utf8' });
    expect(files).toContain('apps/api/src/config.ts');
    expect(files.filter((file) => /\.test\.ts$|(^|\/)\.env|node_modules|\.accepted/.test(file))).toEqual([]);
  });
});

test('as Compose starts it, it migrates, is healthy, runs a job and stops in time', async () => {
  await using postgres = await startPostgresServer();
  await using redis = await startRedisServer();
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const outside = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, PORT: String(port) };

  await using migrate = start('migrate', outside);
  expect(await migrate.exited).toEqual({ code: 0, signal: null });

  await using api = start('api', outside);
  await using worker = start('worker', outside);
  await Promise.all([healthy('api', api, outside), healthy('worker', worker, outside)]);

  const submitted = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json', prefer: 'wait=20' },
    body: JSON.stringify({ type: 'csv.import', payload: { csv: 'name,email\nAda,ada@example.com' } }),
  });
  expect(await submitted.json()).toMatchObject({ type: 'csv.import', status: 'succeeded' });

  for (const process of [api, worker]) process.kill('SIGTERM');
  expect(await Promise.all([api.exited, worker.exited])).toEqual([
    { code: 0, signal: null },
    { code: 0, signal: null },
  ]);
  await using health = startProgram('worker', healthCommand('worker'), outside);
  expect(await health.exited).toEqual({ code: 1, signal: null });
});

function stageOf(name: string): Stage {
  const stage = stages.get(name);
  if (!stage) throw new Error(`The Dockerfile has no stage ${name}`);
  return stage;
}

function serviceOf(name: string): ComposeService {
  const service = services[name];
  if (!service) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

function installedPackages(stage: string): string[] {
  return readdirSync(join(stageOf(stage).folder, 'app/node_modules/.pnpm'));
}

/** pnpm names a folder after the package, its version and, in brackets, its peers; a scope ends with a plus. */
function purlOf(folder: string): string[] {
  const [, name, version] = /^(@?[^@]+)@([^_(]+)/.exec(folder) ?? [];
  return name ? [`pkg:npm/${name.replace('+', '/')}@${version}`] : [];
}

function start(name: string, outside: Record<string, string>): SpawnedProcess {
  const service = serviceOf(name);
  return startProgram(name, service.command ?? stageOf(service.build?.target ?? '').command, outside);
}

/** Runs a command of a service where its image has it; `outside` is what lives at other addresses here. */
function startProgram(name: string, command: string[], outside: Record<string, string>): SpawnedProcess {
  const service = serviceOf(name);
  const image = stageOf(service.build?.target ?? '');
  const root = join(image.folder, image.workdir);
  const [node, file = '', ...args] = command;
  if (node !== 'node') throw new Error(`${name} starts with ${node}`);
  const secrets = {
    POSTGRES_PASSWORD: 'unused',
    BOOTSTRAP_API_KEY: API_KEY,
    BOOTSTRAP_WEBHOOK_SECRET: generateWebhookSecret(),
    SECRETS_KEY: secretsKey,
    ADMIN_PASSWORD: 'not a secret',
  };
  const env: Record<string, string> = { ...image.env, ...environmentOf(service, secrets) };
  for (const [key, value] of Object.entries(outside)) if (key in env) env[key] = value;
  if (env.JOBS_DIR) env.JOBS_DIR = join(image.folder, env.JOBS_DIR);
  return spawnProcess(join(root, file), { env, args, cwd: root });
}

function healthCommand(name: string): string[] {
  return serviceOf(name).healthcheck?.test.slice(1) ?? [];
}

async function healthy(
  name: string,
  process: SpawnedProcess,
  outside: Record<string, string>,
): Promise<void> {
  const asked = async () => {
    await using health = startProgram(name, healthCommand(name), outside);
    return (await health.exited).code === 0;
  };
  await waitUntil(asked, { until: `${name} is healthy`, timeoutMs: 30_000 }).catch((cause) => {
    throw new Error(`${name} is not healthy:\n${process.lines.join('\n')}`, { cause });
  });
}
