import type { NewJob } from '@accepted/shared/core/job/new-job';
import type { InsertedJob } from '@accepted/shared/ledger/jobs/insert-jobs';
import type { ShownJob } from '@accepted/shared/ledger/jobs/shown-job';
import { expect, test } from 'vitest';
import { acceptJobs } from './accept-jobs.ts';

const job = (id: string) => ({ id }) as NewJob;
const created = ({ id }: NewJob): InsertedJob => ({ kind: 'created', row: { id } as ShownJob });

/** Inserts everything but a batch that holds `bad`, and remembers how often it was asked. */
function insertExcept(bad: string, error: Error) {
  const calls: string[][] = [];
  const insert = async (jobs: NewJob[]) => {
    calls.push(jobs.map(({ id }) => id));
    if (jobs.some(({ id }) => id === bad)) throw error;
    return jobs.map(created);
  };
  return { insert, calls };
}

test('a bad row is refused alone and never fails its neighbours', async () => {
  const error = new Error('invalid byte sequence');
  const { insert, calls } = insertExcept('b', error);
  const results = await acceptJobs(insert, [job('a'), job('b'), job('c')]);

  expect(results).toEqual([created(job('a')), { kind: 'refused', error }, created(job('c'))]);
  expect(calls).toEqual([['a', 'b', 'c'], ['a'], ['b'], ['c']]);
});

test('an outage is tried once and fails all: nobody is promised anything', async () => {
  const error = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  const { insert, calls } = insertExcept('a', error);

  await expect(acceptJobs(insert, [job('a'), job('b')])).rejects.toBe(error);
  expect(calls).toHaveLength(1);
});

test('an outage in the middle of the single tries fails the rest too', async () => {
  const outage = Object.assign(new Error('connect'), { code: '57P01' });
  const insert = async (jobs: NewJob[]) => {
    if (jobs.length > 1) throw new Error('bad row');
    if (jobs[0]?.id === 'b') throw outage;
    return jobs.map(created);
  };

  await expect(acceptJobs(insert, [job('a'), job('b')])).rejects.toBe(outage);
});
