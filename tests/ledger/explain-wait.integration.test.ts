import { explainWait, type WaitExplanation } from '@accepted/shared/core/fairness/explain-wait';
import { newUuid } from '@accepted/shared/core/job/id';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import type { MarkedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import { findWaitingJob } from '@accepted/shared/ledger/jobs/waiting-job';
import { readDispatchRules } from '@accepted/shared/ledger/limits/dispatch-rules';
import { changeRules, type RulesChange } from '@accepted/shared/ledger/limits/rules';
import { readOutlook } from '@accepted/shared/ledger/queues/queue-outlook';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, TEST_BUILD, testLane } from '@accepted/testing/test-build';
import fc from 'fast-check';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();
const tenants = [newUuid(), newUuid()];
const TYPES = ['test.noop', 'test.other', 'test.unknown'];
const SEED = 2026;
/** More than there are jobs. */
const ROOM = 100;

beforeAll(async () => {
  await registerTestBuild(ledger.db, TYPES.slice(0, 2));
  for (const id of tenants)
    await sql`INSERT INTO tenants (id, name, webhook_secret) VALUES (${id}, ${id}, '')`.execute(ledger.db);
});
beforeEach(clear);

/** Leaves no jobs, no rules and no passes. */
async function clear(): Promise<void> {
  await sql`TRUNCATE jobs, ready, blocked, due, in_flight, attempts, passes`.execute(ledger.db);
  await sql`UPDATE queues SET paused_at = NULL, concurrency = NULL, present_pass = 0`.execute(ledger.db);
  await sql`UPDATE tenants SET paused_at = NULL, concurrency = NULL, weight = 1`.execute(ledger.db);
  await sql`DELETE FROM job_type_rules`.execute(ledger.db);
}

interface Wanted {
  tenant: number;
  type: number;
  priority: number;
  key: string | null;
}

const anyJob = (keys: (string | null)[]): fc.Arbitrary<Wanted> =>
  fc.record({
    tenant: fc.nat(1),
    type: fc.nat(2),
    priority: fc.constantFrom(1, 2),
    key: fc.constantFrom(...keys),
  });

const anyChange: fc.Arbitrary<RulesChange> = fc.oneof(
  fc.constant({ isPaused: true }),
  fc.record({ concurrency: fc.integer({ min: 1, max: 3 }) }),
);
const anyRule = fc.tuple(
  fc.constantFrom(
    { what: 'queue', key: 'default' } as const,
    { what: 'job_type', key: 'test.noop' } as const,
    { what: 'tenant', key: tenants[0] ?? '' } as const,
  ),
  anyChange,
);

async function insert(wanted: Wanted[]): Promise<{ tenantId: string; id: string }[]> {
  const jobs = wanted.map(({ tenant, type, priority, key }) =>
    makeJob({
      tenantId: tenants[tenant] ?? '',
      type: TYPES[type] ?? '',
      priority,
      ...(key !== null && { concurrencyKey: key, concurrencyLimit: 2 }),
    }),
  );
  // One at a time, so that each line is in the order in which they came.
  for (const job of jobs) await insertJobs(ledger.db, [job]);
  return jobs;
}

/** A turn of a dispatcher that knows nothing of the turns before. */
async function takeTurn(room: number): Promise<MarkedJob[]> {
  const rules = await readDispatchRules(ledger.db, 'default', [TEST_BUILD]);
  const { jobs } = await dispatchJobs(ledger.db, 'default', testLane(room), rules);
  return jobs;
}

/** Explains all that wait, by id. */
async function explainAll(jobs: { tenantId: string; id: string }[]): Promise<Map<string, WaitExplanation>> {
  const outlook = await readOutlook(ledger.db, 'default');
  const explained = new Map<string, WaitExplanation>();
  for (const { tenantId, id } of jobs) {
    const waiting = await findWaitingJob(ledger.db, tenantId, id);
    if (waiting) explained.set(id, explainWait(waiting, outlook));
  }
  return explained;
}

const isHeldUp = (explained: WaitExplanation | undefined) => explained !== undefined && 'codes' in explained;

describe('what is explained is what the dispatcher then does', () => {
  test('nothing goes that is said to be held up, and what is left when nothing goes any more is', async () => {
    const anyJobs = fc.array(anyJob([null, null, 'a key', 'another']), { minLength: 1, maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(
        anyJobs,
        fc.array(anyRule, { maxLength: 2 }),
        fc.nat(4),
        async (wanted, rules, first) => {
          await clear();
          const jobs = await insert(wanted);
          await takeTurn(first);
          for (const [ruled, change] of rules)
            await ledger.db
              .transaction()
              .execute((tx) =>
                changeRules(tx, ruled, change, { actor: 'test', verb: 'change', reason: 'x' }),
              );

          const before = await explainAll(jobs);
          const went: MarkedJob[] = [];
          // One that takes nothing may put a job aside which the next one then takes.
          for (let empty = 0; empty < 2; ) {
            const turn = await takeTurn(ROOM);
            went.push(...turn);
            empty = turn.length > 0 ? 0 : empty + 1;
          }
          for (const { id } of went) expect([id, isHeldUp(before.get(id))]).toEqual([id, false]);
          for (const [id, explained] of await explainAll(jobs))
            expect([id, isHeldUp(explained)]).toEqual([id, true]);
        },
      ),
      { numRuns: 40, seed: SEED },
    );
  });

  test('where nothing is limited, so many go before each as it says, in that order', async () => {
    // Long lines too: a dispatcher counts no further than ten in each.
    const anyJobs = fc.oneof(
      fc.array(anyJob([null]), { minLength: 1, maxLength: 14 }),
      fc
        .array(anyJob([null]), { minLength: 25, maxLength: 30 })
        .map((jobs) => jobs.map(({ tenant, key }) => ({ tenant, key, type: 0, priority: 2 }))),
    );
    await fc.assert(
      fc.asyncProperty(anyJobs, fc.integer({ min: 1, max: 30 }), async (wanted, room) => {
        await clear();
        const explained = await explainAll(await insert(wanted));
        const went = await takeTurn(room);
        expect(went.map(({ id }) => explained.get(id))).toEqual(
          went.map((_, ahead) => ({ ahead, isAtLeast: false })),
        );
      }),
      { numRuns: 40, seed: SEED },
    );
  });
});

test('a job that waits for a slot is told who has it', async () => {
  const [holder, waiting] = await insert(
    [0, 1, 2].map(() => ({ tenant: 0, type: 0, priority: 2, key: 'busy' })),
  ).then(async (jobs) => [await takeTurn(3), jobs[2]] as const);
  expect(holder).toHaveLength(2);
  const found = await findWaitingJob(ledger.db, waiting?.tenantId ?? '', waiting?.id ?? '');
  expect(found).toMatchObject({ held: 2, holderIds: holder.map(({ id }) => id).toSorted() });
});
