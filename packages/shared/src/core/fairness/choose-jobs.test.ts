import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseJobs, isSlowHeldBack } from './choose-jobs.ts';
import { gateOf } from './gates.ts';
import {
  createQueuePicture,
  groupLines,
  type LaneWindow,
  type PlacedJobs,
  type QueuePicture,
} from './queue-picture.ts';

/** Lanes `0`, `1` and `2`: what is of the type `quick` or `slow` goes to any, `only1` and such to one. */
const LANES = ['0', '1', '2'];

function line(tenantId: string, jobs: number, overrides: Partial<PlacedJobs> = {}): PlacedJobs {
  return {
    ...{
      tenantId,
      jobs,
      type: 'quick',
      refusedBy: [],
      priority: 2,
      isNew: true,
      isKeyed: false,
      blockedBy: null,
    },
    placedBy: '1',
    ...overrides,
  };
}

function pictureOf(lines: PlacedJobs[], inFlight: Record<string, number> = {}): QueuePicture {
  const picture = createQueuePicture({
    ...{ epoch: '', snapshot: '', seenAt: '', round: 0, order: { present: 0, passes: [] } },
    lines,
    inFlight: Object.entries(inFlight).map(([flight, jobs]) => {
      const [tenantId = '', type = '', buildId = ''] = flight.split(' ');
      return { tenantId, type, concurrencyKey: null, buildId, jobs };
    }),
  });
  picture.quickTypes = new Set(['quick']);
  for (const lane of LANES)
    picture.builds.set(
      lane,
      new Map(['quick', 'slow', `only${lane}`].map((type) => [type, `${type} of ${lane}`])),
    );
  return picture;
}

/** Chooses for lanes of these sizes; answers `<tenant>` or `<tenant>:<lane>` in the order in which the jobs run. */
function choose(picture: QueuePicture, sizes: number[], mostPerTenant?: LaneWindow['mostPerTenant']) {
  const windows = sizes.map((size, lane) => ({ buildId: String(lane), size, mostPerTenant }));
  groupLines(picture, windows);
  const { lines, heldBack } = chooseJobs(picture, windows);
  const jobs = lines.flatMap(({ line: { tenantId, type, priority, isNew }, lanes, places }) =>
    lanes.map((lane, index) => ({ tenantId, type, priority, isNew, lane, place: places[index] ?? -1 })),
  );
  return { jobs: jobs.sort((one, other) => one.place - other.place), heldBack: heldBack.size > 0 };
}

const tenantsOf = (jobs: { tenantId: string }[]) => jobs.map(({ tenantId }) => tenantId).join('');

describe('jobs are chosen', () => {
  test('of the tenants in turn, however long their lines are', () => {
    const { jobs } = choose(pictureOf([line('a', 100), line('b', 2)]), [6]);
    expect(
      jobs
        .map(({ tenantId }) => tenantId)
        .sort()
        .join(''),
    ).toBe('aaaabb');
    expect(tenantsOf(jobs.slice(0, 4)).replace(/ab|ba/g, '')).toBe('');
  });

  test('with priorities that delay no jobs of others', () => {
    const { jobs } = choose(pictureOf([line('a', 800, { priority: 0 }), line('b', 2)]), [4]);
    expect(jobs.filter(({ tenantId }) => tenantId === 'b')).toHaveLength(2);
  });

  test('of a tenant the most urgent first, of those what was dispatched before, then what begins with the oldest', () => {
    const lines = [
      line('a', 1, { type: 'only0', placedBy: '8' }),
      line('a', 1, { placedBy: '9' }),
      line('a', 1, { isNew: false, placedBy: '10' }),
      line('a', 1, { priority: 0, placedBy: '11' }),
    ];
    expect(choose(pictureOf(lines), [9]).jobs).toMatchObject([
      { priority: 0 },
      { isNew: false },
      { type: 'only0' },
      { type: 'quick' },
    ]);
  });

  test('for idle handlers before they wait for busy ones, however much more room the lane of those has', () => {
    const picture = pictureOf([line('a', 10)], { 'b quick 0': 20 });
    const windows = [100, 30].map((size, lane) => ({ buildId: String(lane), size, concurrency: 10 }));
    groupLines(picture, windows);
    const [chosen] = chooseJobs(picture, windows).lines;
    expect(chosen?.lanes).toEqual(Array(10).fill(1));
  });

  test('for the least busy lane of those that take them, and a lane without room hides no others', () => {
    const lines = [line('b', 9, { type: 'only2' }), line('a', 3)];
    const { jobs } = choose(pictureOf(lines, { 'c quick 2': 1 }), [1, 3, 1]);
    expect(jobs.map(({ tenantId, lane }) => `${tenantId}${lane}`)).toEqual(['a1', 'a1', 'a0']);
  });

  test('of a tenant the most urgent first, also where fewer lanes take those', () => {
    const lines = [line('a', 1_000), line('a', 20, { type: 'only0', priority: 0 })];
    const { jobs } = choose(pictureOf(lines), [20, 20, 20]);
    expect(jobs.slice(0, 20).map(({ priority, lane }) => `${priority} to ${lane}`)).toEqual(
      Array(20).fill('0 to 0'),
    );
    expect(jobs).toHaveLength(60);
  });

  test('past tenants that may not go as fast as if nobody waited: slow handlers are all busy, or their type is full or held down', () => {
    const timeOf = (tenants: number) => {
      const lines = Array.from({ length: tenants }, (_, tenant) => line(`t${tenant}`, 1, { type: 'slow' }));
      const picture = pictureOf([
        ...lines,
        ...lines.map((one, tenant) => ({ ...one, type: tenant % 2 === 0 ? 'only0' : 'quick' })),
      ]);
      picture.adaptiveLimits = new Map([['quick', { most: 0, yields: false }]]);
      const windows = [{ buildId: '0', size: 60, mostSlow: 0 }];
      groupLines(picture, windows, ['only0', 'quick']);
      const startedAtMs = performance.now();
      for (let turn = 0; turn < 20; turn += 1) {
        picture.lines.gates.open(gateOf.type('only0'));
        picture.lines.gates.close(gateOf.type('only0'), false);
        expect(chooseJobs(picture, windows).lines).toEqual([]);
      }
      return performance.now() - startedAtMs;
    };
    timeOf(10);
    expect(timeOf(20_000)).toBeLessThan(timeOf(10) * 10 + 20);
  });

  test('of many lines as fast as of few', () => {
    const timeOf = (count: number) => {
      const blocked = (key: number) =>
        line('a', 1, { isKeyed: true, blockedBy: `${key}`, priority: key % 4 });
      const picture = pictureOf(Array.from({ length: count }, (_, key) => blocked(key)));
      const windows = [{ buildId: '0', size: 200 }];
      groupLines(picture, windows);
      const startedAtMs = performance.now();
      const { lines } = chooseJobs(picture, windows);
      expect(lines).toHaveLength(200);
      return performance.now() - startedAtMs;
    };
    timeOf(200);
    expect(timeOf(20_000)).toBeLessThan(timeOf(200) * 10 + 50);
  });

  test('not for a lane whose schema refuses them, and not at all where none takes them', () => {
    const refused = line('a', 3, { refusedBy: ['quick of 1'] });
    const { jobs } = choose(pictureOf([refused, line('b', 3, { type: 'unknown' })]), [2, 9]);
    expect(jobs.map(({ tenantId, lane }) => `${tenantId}${lane}`)).toEqual(['a0', 'a0']);
  });

  test('up to the share of a tenant, whatever is free, which hides no others', () => {
    const { jobs, heldBack } = choose(pictureOf([line('a', 5), line('b', 1)], { 'a quick 0': 2 }), [10], {
      all: 4,
      slow: 4,
    });
    expect(
      jobs
        .map(({ tenantId }) => tenantId)
        .sort()
        .join(''),
    ).toBe('aab');
    expect(heldBack).toBe(true);
  });

  test('of slow ones, or those not known to be quick, up to the share and none ahead of it', () => {
    const picture = pictureOf([line('a', 3, { type: 'slow' }), line('a', 9)], {
      'a quick 0': 2,
      'a slow 0': 1,
    });
    const { jobs, heldBack } = choose(picture, [20], { all: 7, slow: 2 });
    expect(jobs.map(({ type }) => type).sort()).toEqual(['quick', 'quick', 'quick', 'slow']);
    expect(heldBack).toBe(true);
  });

  test('of slow ones of all tenants no more than may be in the lane, which hides no quick ones', () => {
    const picture = pictureOf(
      [line('a', 9, { type: 'slow' }), line('b', 9, { type: 'slow' }), line('c', 3)],
      {
        'd slow 0': 1,
      },
    );
    const windows = [{ buildId: '0', size: 20, mostSlow: 4 }];
    groupLines(picture, windows);
    const { lines, heldBack } = chooseJobs(picture, windows);
    const chosen = Object.fromEntries(lines.map(({ line: { tenantId }, lanes }) => [tenantId, lanes.length]));
    expect(chosen).toEqual({ a: 2, b: 1, c: 3 });
    expect([heldBack.size, isSlowHeldBack(picture, windows)]).toEqual([0, false]);
    expect(isSlowHeldBack(picture, [{ buildId: '0', size: 20, mostSlow: 1 }])).toBe(true);
  });

  test('with a share of each lane, and none is held back for want of room', () => {
    const lines = [line('a', 5, { type: 'only0' }), line('a', 5, { type: 'only1' })];
    expect(
      choose(pictureOf(lines), [10, 10], { all: 2, slow: 2 })
        .jobs.map(({ lane }) => lane)
        .sort(),
    ).toEqual([0, 0, 1, 1]);
    expect(choose(pictureOf([line('a', 5)]), [2], { all: 4, slow: 4 })).toMatchObject({
      jobs: [{}, {}],
      heldBack: false,
    });
  });

  test('no more in all than are wanted, whatever room there is', () => {
    const picture = pictureOf([line('a', 100), line('b', 100)]);
    picture.times.add({ tenantId: 'a', type: 'quick', jobs: 100, ms: 1 });
    const windows = [{ buildId: '0', size: 50 }];
    groupLines(picture, windows);
    const { lines } = chooseJobs(picture, windows, 3);
    expect(lines.flatMap(({ lanes }) => lanes)).toHaveLength(3);
  });

  test('several at once of a tenant whose jobs take no time, and one of others', () => {
    const picture = pictureOf([line('a', 100), line('b', 100, { type: 'slow' })]);
    picture.times.add({ tenantId: 'a', type: 'quick', jobs: 100, ms: 1 });
    picture.times.add({ tenantId: 'b', type: 'slow', jobs: 100, ms: 50_000 });
    expect(tenantsOf(choose(picture, [8]).jobs)).toMatch(/^(aaaaab|baaaaa)aa$/);
  });

  test('of a tenant that had less service before others, by the time that their jobs ran', () => {
    const picture = pictureOf([line('a', 9), line('b', 9)]);
    picture.order.correct('a', 35);
    expect(tenantsOf(choose(picture, [4]).jobs)).toBe('bbbb');
  });

  test('never more than there is room, never more than there are, and no lane idles that they could go to', () => {
    const someLines = fc.array(
      fc.record({
        tenantId: fc.constantFrom('a', 'b', 'c'),
        type: fc.constantFrom('quick', 'slow', 'only0', 'only1', 'unknown'),
        priority: fc.nat(3),
        isNew: fc.boolean(),
        jobs: fc.nat(8),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(someLines, fc.tuple(fc.nat(15), fc.nat(15)), (lines, sizes) => {
        const picture = pictureOf(
          lines.map(({ tenantId, jobs, ...overrides }) => line(tenantId, jobs, overrides)),
        );
        const waiting = picture.lines.all();
        const { jobs } = choose(picture, sizes);
        const left = sizes.map((size, lane) => size - jobs.filter((job) => job.lane === lane).length);
        expect(Math.min(...left)).toBeGreaterThanOrEqual(0);
        expect(jobs.map(({ place }) => place)).toEqual(jobs.map((_, index) => index));
        for (const { tenantId, type, priority, isNew, jobs: count } of waiting) {
          const chosen = jobs.filter(
            (job) =>
              job.tenantId === tenantId &&
              job.type === type &&
              job.priority === priority &&
              job.isNew === isNew,
          ).length;
          expect(chosen).toBeLessThanOrEqual(count);
          if (chosen === count || type === 'unknown') continue;
          const lanes = type.startsWith('only') ? [Number(type.at(-1))] : [0, 1];
          for (const lane of lanes) expect(left[lane]).toBe(0);
        }
      }),
    );
  });
});

test('of a type that has a rate no more go than may, and others take its place', () => {
  const picture = pictureOf([
    line('a', 10, { type: 'slow' }),
    line('a', 10),
    line('b', 10, { type: 'slow' }),
  ]);
  const windows = [{ buildId: '0', size: 10 }];
  groupLines(picture, windows, ['slow']);
  const rooms = new Map([[gateOf.type('slow'), 3]]);
  const { lines } = chooseJobs(picture, windows, undefined, rooms);
  const counts = { slow: 0, quick: 0 } as Record<string, number>;
  for (const {
    line: { type },
    places,
  } of lines)
    counts[type] = (counts[type] ?? 0) + places.length;
  expect(counts).toEqual({ slow: 3, quick: 7 });
});
