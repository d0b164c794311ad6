import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { afterAll, expect, test } from 'vitest';
import { configSchema as apiSchema } from '../../apps/api/src/config.ts';
import { configSchema as migrateSchema } from '../../apps/migrate/src/config.ts';
import { configSchema as workerSchema } from '../../apps/worker/src/config.ts';
import { environmentOf, ROOT, readComposeFile } from './compose-file.ts';

const { services, volumes } = readComposeFile();
const everyService = Object.entries(services);
const ours = everyService.filter(([, service]) => service.build);
const folder = mkdtempSync(join(tmpdir(), 'accepted-compose-'));
afterAll(() => rmSync(folder, { recursive: true }));

function newEnv(file = join(folder, '.env')): string {
  execFileSync('sh', [join(ROOT, 'deploy/new-env.sh'), file], { stdio: 'pipe' });
  return file;
}

const envFile = newEnv();
const secrets = Object.fromEntries(
  readFileSync(envFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);

test('the file follows the schema of the Compose Specification', () => {
  const rules = { 'no-build-and-image': 0 } as const;
  const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
  const [report] = linter.lintFiles([join(ROOT, 'docker-compose.yml')], false);
  expect(report?.messages.filter(({ type }: { type: string }) => type === 'error')).toEqual([]);
});

test.each([
  ['api', apiSchema],
  ['worker', workerSchema],
  ['migrate', migrateSchema],
])('%s gets settings that it takes, all that it needs and none that it does not know', (name, schema) => {
  const env = environmentOf(services[name] ?? { image: '' }, secrets);
  expect(schema.strict().safeParse(env).error).toBeUndefined();
});

test.each(Object.keys(secrets))('without %s it does not start, and says how to make one', (name) => {
  const rest = { ...secrets, [name]: '' };
  expect(() => ours.map(([, service]) => environmentOf(service, rest))).toThrow(
    `${name} is not set, run sh deploy/new-env.sh`,
  );
});

test('the file of secrets is for its owner only, and is never overwritten', () => {
  expect(statSync(envFile).mode & 0o777).toBe(0o600);
  expect(() => newEnv(envFile)).toThrow('is there already');
});

test('two runs make different secrets', () => {
  expect(readFileSync(newEnv(join(folder, 'other')), 'utf8')).not.toBe(readFileSync(envFile, 'utf8'));
});

test.each(everyService)('%s has an exact version, a restart policy and limits', (_, service) => {
  expect(service.image).toMatch(/^[a-z-]+:\d+\.\d+/);
  expect(service.restart).toBeDefined();
  expect(service.deploy?.resources?.limits).toMatchObject({
    cpus: expect.any(String),
    memory: expect.any(String),
  });
});

test.each(everyService.filter(([name]) => name !== 'migrate'))('%s has a health check', (_, service) => {
  expect(service.healthcheck?.test.length).toBeGreaterThan(1);
});

test.each(ours)('%s can write nothing but /tmp, and runs programs that are there', (_, service) => {
  expect(service).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  });
  const programs = [...(service.command ?? []), ...(service.healthcheck?.test ?? [])].filter((word) =>
    word.endsWith('.ts'),
  );
  expect(programs.filter((program) => !existsSync(join(ROOT, program)))).toEqual([]);
  expect(programs.length).toBeGreaterThan(0);
});

test('jobs are accepted and run only once the schema is there', () => {
  for (const name of ['api', 'worker']) {
    expect(services[name]?.depends_on?.migrate).toEqual({ condition: 'service_completed_successfully' });
  }
  expect(services.migrate?.depends_on?.postgres).toEqual({ condition: 'service_healthy' });
});

test('there are two workers, and the API starts without Redis', () => {
  expect(services.worker?.deploy?.replicas).toBe(2);
  expect(services.api?.depends_on).not.toHaveProperty('redis');
});

test('Redis keeps an append-only file and evicts nothing; data outlive containers', () => {
  const { command } = services.redis ?? {};
  expect(command?.join(' ')).toContain('--appendonly yes --appendfsync everysec');
  expect(command?.join(' ')).toContain('--maxmemory-policy noeviction');
  expect(Object.keys(volumes)).toEqual(['postgres-data', 'redis-data']);
});

test('our images carry the version of this workspace', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const [, service] of ours) expect(service.image.split(':')[1]).toBe(version);
});
