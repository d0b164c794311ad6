import type { LaneWindow, QueuePicture } from '@accepted/shared/core/fairness/queue-picture';
import { newUuid } from '@accepted/shared/core/job/id';
import { claimJobs } from '@accepted/shared/ledger/jobs/claim-jobs';
import { dispatchJobs } from '@accepted/shared/ledger/jobs/dispatch-jobs';
import { insertJobs } from '@accepted/shared/ledger/jobs/insert-jobs';
import { recordOutcomes } from '@accepted/shared/ledger/jobs/record-outcomes';
import { surveyQueue } from '@accepted/shared/ledger/jobs/survey-queue';
import type { MarkedJob } from '@accepted/shared/ledger/jobs/take-jobs';
import type { TurnRules } from '@accepted/shared/ledger/jobs/turn-rules';
import { makeJob } from '@accepted/testing/factories';
import { registerTestBuild, testLane } from '@accepted/testing/test-build';
import fc from 'fast-check';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { succeed, useLedger, VERSIONS } from './ledger.ts';

const ledger = useLedger();
const KEYS = ['one', 'two', 'three'];
/** Of each key, by its place. */
const SLOTS = [1, 2, 3];
const TYPES = ['test.noop', 'test.other'];
const AMPLE = 1_000;

beforeAll(() => registerTestBuild(ledger.db, TYPES));

/** What happens to a queue, one after the other: jobs come, or a turn has so much room, or so many of those in flight end. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('come' as const),
    jobs: fc.array(
      fc.record({
        key: fc.option(fc.nat(KEYS.length - 1)),
        tenant: fc.nat(1),
        type: fc.constantFrom(...TYPES),
        priority: fc.nat(3),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  }),
  fc.record({ kind: fc.constant('turn' as const), room: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('end' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
);
const steps = fc.array(step, { minLength: 3, maxLength: 25 });
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** A queue, and a dispatcher that reads it whole at its beginning and never again, so that nothing is put right by another look. */
class Story {
  readonly #tenants = [newUuid(), newUuid()];
  readonly #rules: Partial<TurnRules>;
  #picture: QueuePicture | undefined;
  #flying: MarkedJob[] = [];

  constructor(rules: Partial<TurnRules>) {
    this.#rules = rules;
  }

  async play(step: Step): Promise<void> {
    if (step.kind === 'come') await this.#come(step.jobs);
    else if (step.kind === 'turn') await this.#turn(testLane(this.#flying.length + step.room));
    else await this.#end(Math.ceil(step.share * this.#flying.length));
  }

  /** Takes all jobs to their ends, and looks at each step that those go which can. */
  async finish(mayAllGo: boolean): Promise<void> {
    for (;;) {
      while (await this.#turn(testLane(AMPLE)));
      if (mayAllGo) expect(await freeSlotsWaitedFor()).toEqual([]);
      if (this.#flying.length === 0) break;
      await this.#end(1);
    }
    expect(await countLive()).toBe(0);
  }

  async #come(jobs: Extract<Step, { kind: 'come' }>['jobs']): Promise<void> {
    const made = jobs.map(({ key, tenant, type, priority }) =>
      makeJob({
        ...{ type, priority, tenantId: this.#tenants[tenant] ?? '' },
        ...(key !== null && { concurrencyKey: KEYS[key] ?? '', concurrencyLimit: SLOTS[key] ?? 1 }),
      }),
    );
    await insertJobs(ledger.db, made);
  }

  /** Answers whether another turn is worth it. */
  async #turn(windows: LaneWindow[]): Promise<boolean> {
    this.#picture ??= await surveyQueue(ledger.db, 'default');
    const { jobs, picture, moreToDo } = await dispatchJobs(ledger.db, 'default', windows, {
      ...this.#rules,
      picture: this.#picture,
    });
    this.#picture = picture;
    this.#flying.push(...jobs);
    expect(await overfullKeys()).toEqual([]);
    return moreToDo || jobs.length > 0;
  }

  async #end(count: number): Promise<void> {
    const ending = this.#flying.splice(0, count);
    const claimed = (await claimJobs(ledger.db, ledger.workerId, ending)).flatMap((job) => job ?? []);
    const ended = claimed.map((job) => ({ job, outcome: succeed }));
    if (ended.length > 0) await recordOutcomes(ledger.db, ended, VERSIONS);
  }
}

const OF_KEY = sql`tenant_id, concurrency_key`;

async function overfullKeys(): Promise<unknown[]> {
  const { rows } = await sql`
    SELECT concurrency_key, count(*) FROM in_flight WHERE concurrency_key IS NOT NULL GROUP BY ${OF_KEY}
    HAVING count(*) > min(concurrency_limit)`.execute(ledger.db);
  return rows;
}

/** Keys that have slots and jobs that wait: all of them have had as many turns as they wanted. */
async function freeSlotsWaitedFor(): Promise<unknown[]> {
  const { rows } = await sql`
    SELECT concurrency_key FROM (
      SELECT ${OF_KEY}, concurrency_limit FROM ready UNION ALL SELECT ${OF_KEY}, concurrency_limit FROM blocked) AS waiting
    GROUP BY ${OF_KEY} HAVING coalesce(concurrency_key, '') = '' OR min(concurrency_limit) > (
      SELECT count(*) FROM in_flight
      WHERE in_flight.tenant_id = waiting.tenant_id AND in_flight.concurrency_key = waiting.concurrency_key)`.execute(
    ledger.db,
  );
  return rows;
}

async function countLive(): Promise<number> {
  const { rows } = await sql<{ live: number }>`
    SELECT ((SELECT count(*) FROM ready) + (SELECT count(*) FROM blocked) + (SELECT count(*) FROM in_flight))::int AS live`.execute(
    ledger.db,
  );
  return rows[0]?.live ?? Number.NaN;
}

async function tell(told: Step[], rules: Partial<TurnRules>): Promise<void> {
  for (const table of ['ready', 'blocked', 'in_flight'])
    await sql`DELETE FROM ${sql.table(table)}`.execute(ledger.db);
  const story = new Story(rules);
  for (const one of told) await story.play(one);
  await story.finish(rules.limits === undefined);
}

test('no key has more in flight than it has slots, and none has a free one that is waited for', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(steps, (told) => tell(told, {})),
    { numRuns: 25 },
  );
});

test('with a limit of a type beside the keys all jobs come to their end', { timeout: 120_000 }, async () => {
  const limits = { key: [], type: [{ name: 'test.other', most: 1 }], tenant: [] };
  await fc.assert(
    fc.asyncProperty(steps, (told) => tell(told, { limits })),
    { numRuns: 15 },
  );
});
