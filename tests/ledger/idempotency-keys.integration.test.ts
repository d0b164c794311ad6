import { newUuid } from '@accepted/shared/core/job/id';
import { actOnce, type KeyedAct } from '@accepted/shared/ledger/jobs/idempotency-keys';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();

/** An act that leaves a row in the audit log, which is of its tenant. */
function makeAct(kept: unknown = 'kept'): KeyedAct<string> {
  const tenantId = newUuid();
  return {
    tenantId,
    requestKey: { route: 'POST /v1/things', key: 'key', fingerprint: Buffer.from('same') },
    async act(tx) {
      await sql`INSERT INTO audit_log (id, tenant_id, actor, action, target)
        VALUES (${newUuid()}, ${tenantId}, 'test', 'test', 'test')`.execute(tx);
      return { status: 201, made: 'made' };
    },
    keep: () => kept,
  };
}

const countRows = async (table: string) =>
  (await sql`SELECT FROM ${sql.table(table)}`.execute(ledger.db)).rows.length;

test('what is done once leaves key, effect and answer, and is not done again', async () => {
  const act = makeAct({ id: 7 });
  const all = await Promise.all(Array.from({ length: 5 }, () => actOnce(ledger.db, act)));
  expect(all.filter(({ kind }) => kind === 'done')).toEqual([{ kind: 'done', status: 201, made: 'made' }]);
  expect(all.filter(({ kind }) => kind !== 'done')).toEqual(
    Array.from({ length: 4 }, () => ({ kind: 'replayed', status: 201, kept: { id: 7 } })),
  );
  expect(await countRows('audit_log')).toBe(1);
  const requestKey = { ...act.requestKey, fingerprint: Buffer.from('other') };
  expect(await actOnce(ledger.db, { ...act, requestKey })).toEqual({ kind: 'keyReused' });
  expect(await actOnce(ledger.db, { ...act, tenantId: newUuid() }).catch(String)).toContain(
    'row-level security',
  );
});

test('an answer that is larger than 4 kB is not kept, and then nothing was done', async () => {
  await expect(actOnce(ledger.db, makeAct('x'.repeat(4_096)))).rejects.toThrow('small_answers');
  expect([await countRows('audit_log'), await countRows('idempotency_keys')]).toEqual([0, 0]);
  expect(await actOnce(ledger.db, makeAct('x'.repeat(4_000)))).toMatchObject({ kind: 'done' });
});

test('what loses against another transaction is done anew, and its effect is there once', async () => {
  const act = makeAct();
  let tries = 0;
  const losesFirst: KeyedAct<string> = {
    ...act,
    async act(tx) {
      const done = await act.act(tx);
      tries += 1;
      if (tries === 1) await sql`DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$`.execute(tx);
      return done;
    },
  };
  expect(await actOnce(ledger.db, losesFirst)).toMatchObject({ kind: 'done' });
  expect([tries, await countRows('audit_log')]).toEqual([2, 1]);
});
