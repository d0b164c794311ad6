import type { TestProject } from 'vitest/node';
import { startPostgresServer } from './postgres-server.ts';
import { prepareTemplate } from './test-database.ts';

/** Starts the two PostgreSQLs of a test run and migrates the template database in each; returns the teardown. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const start = async (kind: 'system' | 'embedded') => {
    const server = await startPostgresServer(['-c', 'max_connections=300'], kind);
    await prepareTemplate(server.url);
    return server;
  };
  const [system, embedded] = await Promise.all([start('system'), start('embedded')]);
  project.provide('postgresUrls', { system: system.url, embedded: embedded.url });
  return async () => {
    await Promise.all([system[Symbol.asyncDispose](), embedded[Symbol.asyncDispose]()]);
  };
}
