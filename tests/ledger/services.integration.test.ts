import { beat, leaveServices } from '@accepted/shared/ledger/workers/beat';
import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { useLedger } from './ledger.ts';

const ledger = useLedger();
const HEARTBEAT = { heartbeatMs: 3_000, finishedPerSecond: {}, engineUp: true };

let other: string;
beforeEach(async () => {
  await sql`DELETE FROM services`.execute(ledger.db);
  other = await ledger.startWorker();
});

const ask = (workerId: string, names: string[], isAble = true) =>
  beat(ledger.db, workerId, HEARTBEAT, {
    services: names.map((name) => ({ name, isAble })),
    leaseMs: 3_000,
  });

async function endLease(name: string): Promise<void> {
  await sql`UPDATE services SET expires_at = now() - interval '1 ms' WHERE name = ${name}`.execute(ledger.db);
}

test('a service is with who has it for as long as it says so, and others hear when its lease ends', async () => {
  expect(await ask(ledger.workerId, ['a', 'b'])).toEqual({
    isAlive: true,
    isSlow: false,
    others: [],
    held: ['a', 'b'],
    othersEndInMs: null,
    hasSeveralTenants: false,
  });
  const second = await ask(other, ['a', 'c']);
  expect(second.held).toEqual(['c']);
  expect(second.othersEndInMs).toBeGreaterThan(1_000);
  expect(second.othersEndInMs).toBeLessThanOrEqual(3_000);
  expect((await ask(ledger.workerId, ['a', 'b'])).held).toEqual(['a', 'b']);
});

test('a service whose lease has ended is taken over, by one of all that ask', async () => {
  await ask(ledger.workerId, ['a']);
  await endLease('a');
  const workers = await Promise.all(Array.from({ length: 5 }, () => ledger.startWorker()));
  const held = await Promise.all(workers.map((id) => ask(id, ['a'])));
  expect(held.filter((answer) => answer.held.includes('a'))).toHaveLength(1);
  expect((await ask(ledger.workerId, ['a'])).held).toEqual([]);
});

test('who cannot do it keeps a service until another one can', async () => {
  await ask(ledger.workerId, ['a']);
  expect((await ask(ledger.workerId, ['a'], false)).held).toEqual(['a']);
  expect((await ask(other, ['a'], false)).held).toEqual([]);
  expect((await ask(other, ['a'])).held).toEqual(['a']);
  expect((await ask(ledger.workerId, ['a'])).held).toEqual([]);
});

test('what is left is free at once', async () => {
  await ask(ledger.workerId, ['a']);
  await leaveServices(ledger.db, ledger.workerId);
  expect((await ask(other, ['a'])).held).toEqual(['a']);
});

test('a worker that has lost its lease gets no service', async () => {
  await sql`UPDATE workers SET lost_at = now() WHERE id = ${other}`.execute(ledger.db);
  expect(await ask(other, ['a'])).toMatchObject({ isAlive: false, held: [] });
});
