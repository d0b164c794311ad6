import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineJob, PermanentError } from '@accepted/job';
import { schemaId } from '@accepted/shared/core/job/build';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { lazyChild } from '@accepted/shared/runtime/logging/lazy-child';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { describeJobType } from '../handlers/describe-job-type.ts';
import type { LoadedHandler } from '../handlers/loaded-handler.ts';
import { closeIsolatedProcesses } from '../handlers/process-pool.ts';
import { claimedJob, loaded } from '../handlers/testing/attempt.ts';
import { createExecutor } from './executor.ts';
import { createHandlerSlots } from './handler-slots.ts';
import { createRefusingSchema } from './own-schemas.ts';

afterAll(closeIsolatedProcesses);

const parent = pino({ level: 'silent' });
const logger = lazyChild(parent, () => ({}));

/** Runs a job where these handlers are known; nothing is written, as none of them reports progress. */
async function execute(handlers: LoadedHandler[], type: string, payload: unknown) {
  const refusingSchema = createRefusingSchema(handlers.map(describeJobType), parent);
  const slotsFor = () => createHandlerSlots({ slots: 1 });
  const breakers = { enter: () => ({ heldSince: () => undefined, ended: () => undefined }) };
  const executor = createExecutor({ db: {} as Database, handlers, refusingSchema, slotsFor, breakers });
  const { result } = await executor.execute(
    claimedJob({ type, payload }),
    new AbortController().signal,
    logger,
  );
  return result;
}

const strict = z.strictObject({ n: z.number().refine((n) => n > 0, 'must be positive') });
const handler = (run: () => unknown = () => 'ran') =>
  loaded(defineJob({ type: 'test.strict', payload: strict, run }));
const own = schemaId(z.toJSONSchema(strict, { io: 'input' }));

test('a job of a type that is not known here is for another build', async () => {
  expect(await execute([handler()], 'test.unknown', {})).toEqual({ kind: 'misdirected' });
});

test('a payload that the schema which this build registered refuses is for another build', async () => {
  expect(await execute([handler()], 'test.strict', { n: 1, lang: 'de' })).toEqual({
    kind: 'misdirected',
    refusedBy: own,
  });
});

test('a payload that only a refinement refuses is at fault itself', async () => {
  const error = { code: 'invalid_payload', retryable: false };
  expect(await execute([handler()], 'test.strict', { n: -1 })).toMatchObject({ kind: 'threw', error });
});

test('a handler that throws an error of that name has run', async () => {
  const run = () => {
    throw new PermanentError('bad', { code: 'invalid_payload' });
  };
  const error = { code: 'invalid_payload', retryable: false };
  expect(await execute([handler(run)], 'test.strict', { n: 1 })).toMatchObject({ kind: 'threw', error });
});

test('the same holds for a handler in a process of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'accepted-executor-'));
  const file = join(folder, 'strict.ts');
  await writeFile(
    file,
    `import { defineJob } from '@accepted/job';
     import { z } from 'zod';
     const payload = z.strictObject({ n: z.number().refine((n) => n > 0) });
     export default defineJob({ type: 'test.strict', isolate: true, payload, run: () => 'ran' });`,
  );
  const isolated = {
    ...loaded(defineJob({ type: 'test.strict', payload: strict, isolate: true, run: () => 'ran' })),
    file,
  };
  expect(await execute([isolated], 'test.strict', { lang: 'de' })).toMatchObject({ kind: 'misdirected' });
  expect(await execute([isolated], 'test.strict', { n: -1 })).toMatchObject({ kind: 'threw' });
  await rm(folder, { recursive: true });
}, 60_000);

test('a schema that cannot be compiled refuses nothing', () => {
  const defaults = describeJobType(handler()).defaults;
  const broken = { type: 'test.broken', queue: 'default', payloadSchema: { type: 'nonsense' }, defaults };
  expect(createRefusingSchema([broken], parent)('test.broken', {})).toBeUndefined();
});
