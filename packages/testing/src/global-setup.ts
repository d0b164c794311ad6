import type { TestProject } from 'vitest/node';
import { startPostgresServer } from './postgres-server.ts';
import { prepareTemplate } from './test-database.ts';

/** Starts the one PostgreSQL of a test run and migrates the template database in it; returns the teardown. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgresServer(['-c', 'max_connections=300']);
  await prepareTemplate(server.url);
  project.provide('postgresUrl', server.url);
  return async () => await server[Symbol.asyncDispose]();
}
