import { expect, test } from 'vitest';
import { createMemory } from './known.ts';

const [JOB, OTHER_JOB, KEY] = [
  'job_01m80wvd14etfbnycmvzp2r688',
  'job_01m80wvd14etfbnycmvzp2r689',
  'key_01m80wvd14etfbnycmvzp2r688',
];

test('ids are known by their prefix, other text by its field and by where it came from, the newest first', () => {
  const memory = createMemory();
  memory.learn('queues', { data: [{ name: 'default', job: OTHER_JOB, key: `acc_${'a'.repeat(26)}` }] });
  memory.learn('jobs', { id: JOB, name: 'no queue' });
  expect(memory.of('job_')).toEqual([JOB, OTHER_JOB]);
  expect(memory.of('name')).toEqual(['no queue', 'default']);
  expect(memory.of('queues.name')).toEqual(['default']);
  expect([memory.of('key'), memory.of('nothing')]).toEqual([[], []]);
});

test('what clients wrote is not learned, nor what must never be used', () => {
  const memory = createMemory(new Set([KEY]));
  memory.learn('jobs', { payload: { id: JOB }, metadata: { id: JOB }, actor: KEY });
  expect([memory.of('job_'), memory.of('key_')]).toEqual([[], []]);
});

test('what is said of a tenant that must not be known is not learned either', () => {
  const tenant = 'ten_01m80wvd14etfbnycmvzp2r688';
  const memory = createMemory(new Set([tenant]));
  memory.learn('audit-log', {
    data: [
      { tenantId: tenant, target: JOB },
      { tenantId: null, target: KEY },
    ],
  });
  expect([memory.of('job_'), memory.of('key_'), memory.of('ten_')]).toEqual([[], [KEY], []]);
});

test('only the newest are kept', () => {
  const memory = createMemory();
  for (let n = 0; n < 100; n += 1) memory.learnValue('tag', `tag${n}`);
  expect(memory.of('tag')).toHaveLength(60);
  expect(memory.of('tag')[0]).toBe('tag99');
});
