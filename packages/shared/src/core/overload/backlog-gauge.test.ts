import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CountedBacklogs, createBacklogGauge } from './backlog-gauge.ts';

const ARRIVAL = { tenantId: 'a', queue: 'default', priority: 2 };
const NOW_MS = 0;

function counted(
  { jobs = 0, own = jobs, max = null as number | null, ...bounds } = {} as {
    jobs?: number;
    own?: number;
    max?: number | null;
    perTenant?: number;
    ofTenant?: number;
  },
): CountedBacklogs {
  const { perTenant = null, ofTenant = null } = bounds;
  return {
    queues: [{ queue: 'default', jobs, maxBacklog: max, maxBacklogPerTenant: perTenant }],
    tenants: [{ tenantId: 'a', jobs: own, maxBacklog: ofTenant, queues: [{ queue: 'default', jobs: own }] }],
  };
}

function gaugeOf(backlogs: CountedBacklogs) {
  const gauge = createBacklogGauge();
  gauge.beginCount()(backlogs);
  return gauge;
}

test.each([
  ['queue', { jobs: 4, own: 1, max: 5 }],
  ['tenant', { jobs: 9, own: 4, ofTenant: 5 }],
  ['tenant_in_queue', { jobs: 9, own: 4, perTenant: 5, max: 100 }],
] as const)('a job more fits into a %s that is nearly full, and then none', (bound, backlogs) => {
  const gauge = gaugeOf(counted(backlogs));
  expect(gauge.judge(ARRIVAL, NOW_MS)).toMatchObject({ isSure: true, room: 1 });
  gauge.admit(ARRIVAL)();
  expect(gauge.judge(ARRIVAL, NOW_MS)).toMatchObject({
    ...{ full: { bound, jobs: 5, most: 5 }, isSure: false, room: 0 },
  });
});

test('what is not bounded fits, and so does what nobody has counted', () => {
  expect(gaugeOf(counted({ jobs: 10 ** 9 })).judge(ARRIVAL, NOW_MS)).toEqual({
    isSure: true,
    room: Number.POSITIVE_INFINITY,
    near: [],
  });
  expect(createBacklogGauge().judge(ARRIVAL, NOW_MS).full).toBeUndefined();
});

test('bounds are near that others may fill before it is known', () => {
  const nearOf = (backlogs: Parameters<typeof counted>[0]) =>
    gaugeOf(counted(backlogs)).judge(ARRIVAL, NOW_MS).near;
  expect(nearOf({ jobs: 2_000, max: 10_000, perTenant: 9_000 })).toEqual([]);
  expect(nearOf({ jobs: 9_000, own: 5, max: 10_000, ofTenant: 50_000 })).toEqual(['queue default']);
  expect(nearOf({ jobs: 9, perTenant: 10, ofTenant: 20 })).toEqual(['tenant a', 'both a default']);
});

test('a count that shows a queue full leaves no doubt', () => {
  expect(gaugeOf(counted({ jobs: 5, max: 5 })).judge(ARRIVAL, NOW_MS)).toMatchObject({
    full: { bound: 'queue' },
    isSure: true,
  });
});

test('a job that was written before a count began is in it, and counts once', () => {
  const gauge = gaugeOf(counted({ max: 2 }));
  gauge.admit(ARRIVAL)();
  gauge.beginCount()(counted({ jobs: 1, max: 2 }));
  expect(gauge.judge(ARRIVAL, NOW_MS).room).toBe(1);
});

test('bounds that were changed hold from the next count on', () => {
  const gauge = gaugeOf(counted({ jobs: 5, max: 5 }));
  gauge.beginCount()(counted({ jobs: 5, max: 6 }));
  expect(gauge.judge(ARRIVAL, NOW_MS).full).toBeUndefined();
});

/** What a process does, in any order: it lets a job in where one fits, one of those is written, a count begins or ends. */
const step = fc.constantFrom('admit', 'write', 'begin', 'end', 'finish' as const);

test('no more come in than may, whenever counts are made, and once all is still, all that fit', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 10 }), (steps, max) => {
      const gauge = createBacklogGauge();
      let live = 0;
      const writing: (() => void)[] = [];
      let count: { end: (found: CountedBacklogs) => void; jobs: number } | undefined;
      const begin = () => {
        count = { end: gauge.beginCount(), jobs: live };
      };
      const end = () => {
        count?.end(counted({ jobs: count.jobs, max }));
        count = undefined;
      };
      begin();
      end();
      for (const one of steps) {
        if (one === 'admit' && !gauge.judge(ARRIVAL, NOW_MS).full) writing.push(gauge.admit(ARRIVAL));
        if (one === 'write' && writing.length > 0) {
          writing.shift()?.();
          live += 1;
        }
        if (one === 'begin' && !count) begin();
        if (one === 'end') end();
        if (one === 'finish' && live > 0 && !count) live -= 1;
        expect(live + writing.length).toBeLessThanOrEqual(max);
      }
      end();
      for (const written of writing) {
        written();
        live += 1;
      }
      begin();
      end();
      expect(gauge.judge(ARRIVAL, NOW_MS)).toMatchObject(live >= max ? { room: 0 } : { room: max - live });
    }),
  );
});
