import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foresee } from './explain-wait.ts';
import { createQueuePicture, groupLines, type PlacedJobs } from './queue-picture.ts';
import { createWaitModel } from './wait-model.ts';

const NOBODY = new Map<string, number>();

function aheadOf(
  waiting: [tenantId: string, priority: number, jobs: number][],
  arrival: [tenantId: string, priority: number],
  weights = NOBODY,
): number {
  const lines = waiting.map(([tenantId, priority, jobs]) => ({ tenantId, priority, jobs }));
  const [tenantId, priority] = arrival;
  return createWaitModel(lines, weights).aheadOf({ tenantId, priority });
}

describe('before a job that comes now go', () => {
  test('none where nobody waits, and all of its own tenant that are as urgent', () => {
    expect(aheadOf([], ['a', 2])).toBe(0);
    expect(aheadOf([['a', 2, 70]], ['a', 2])).toBe(70);
  });

  test('of another tenant as many as its own have before it, by their weights, and no more than there are', () => {
    expect(aheadOf([['a', 2, 10_000]], ['b', 2])).toBe(1);
    expect(
      aheadOf(
        [
          ['a', 2, 10_000],
          ['b', 2, 99],
        ],
        ['b', 2],
      ),
    ).toBe(199);
    expect(
      aheadOf(
        [
          ['a', 2, 10_000],
          ['b', 2, 99],
        ],
        ['b', 2],
        new Map([['a', 3]]),
      ),
    ).toBe(399);
    expect(
      aheadOf(
        [
          ['a', 2, 20],
          ['b', 2, 99],
        ],
        ['b', 2],
      ),
    ).toBe(119);
  });

  test('of its tenant more urgent ones by their turns, and few that are less urgent', () => {
    expect(aheadOf([['a', 0, 1_000]], ['a', 2])).toBe(64);
    expect(aheadOf([['a', 0, 50]], ['a', 2])).toBe(50);
    expect(
      aheadOf(
        [
          ['a', 3, 1_000],
          ['a', 2, 79],
        ],
        ['a', 2],
      ),
    ).toBe(89);
  });

  test('those that have come since', () => {
    const model = createWaitModel([{ tenantId: 'a', priority: 2, jobs: 10 }], NOBODY);
    for (let come = 0; come < 90; come += 1) model.add({ tenantId: 'a', priority: 2 });
    expect(model.aheadOf({ tenantId: 'a', priority: 2 })).toBe(100);
  });
});

describe('before a job go some that come later', () => {
  const coming = (tenantId: string, priority: number, perStart: number) => ({ tenantId, priority, perStart });
  const behind = (jobs: number, priority: number, come: ReturnType<typeof coming>) =>
    createWaitModel([{ tenantId: 'a', priority, jobs }], NOBODY, [come]).aheadOf({ tenantId: 'a', priority });

  test('all of a tenant that has less than its share, and of one that has more as many as its own', () => {
    expect(behind(100, 2, coming('b', 2, 0.25))).toBe(133);
    expect(behind(100, 2, coming('b', 2, 0.9))).toBe(201);
    expect(behind(100, 2, coming('a', 2, 0.9))).toBe(100);
  });

  test('more urgent ones of its own, as many as have turns', () => {
    expect(behind(10, 3, coming('a', 0, 0.8))).toBe(50);
    expect(behind(10, 3, coming('a', 0, 2))).toBe(10 + 11 * 512);
    expect(behind(10, 3, coming('a', 2, 3))).toBe(10 + 11 * 8);
  });

  test('until others have nothing left they have their share, and then what comes of them', () => {
    const waiting = [
      { tenantId: 'a', priority: 2, jobs: 1_000 },
      { tenantId: 'b', priority: 2, jobs: 100 },
    ];
    const model = createWaitModel(waiting, NOBODY, [coming('b', 2, 0.2)]);
    // The level is s / 2 until that is 100 + 0.2 s, at 333 starts; from then on four of five are its own.
    expect(model.aheadOf({ tenantId: 'a', priority: 2, before: 100 })).toBe(201);
    expect(model.aheadOf({ tenantId: 'a', priority: 2 })).toBe((1_000 + 100) / 0.8);
  });
});

describe('once jobs have been started', () => {
  const waiting = [{ tenantId: 'a', priority: 2, jobs: 100 }];

  test('fewer go before those that waited', () => {
    expect(createWaitModel(waiting, NOBODY).aheadOf({ tenantId: 'a', priority: 2 }, 30)).toBe(70);
  });

  test('who comes then begins beside the others', () => {
    const model = createWaitModel(waiting, NOBODY);
    expect(model.aheadOf({ tenantId: 'b', priority: 2 }, 50)).toBe(1);
    for (let come = 0; come < 10; come += 1) model.add({ tenantId: 'b', priority: 2 }, 50);
    expect(model.aheadOf({ tenantId: 'b', priority: 2 }, 50)).toBe(21);
  });
});

const anyLine = fc.record({
  tenantId: fc.constantFrom('a', 'b', 'c', 'd'),
  priority: fc.integer({ min: 0, max: 3 }),
  jobs: fc.integer({ min: 1, max: 300 }),
});
const anyWeights = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.double({ min: 0.25, max: 4, noNaN: true }),
  { maxKeys: 4 },
);

test('what is foreseen by choosing job after job is about as much, for the last of any line', () => {
  const errors: number[] = [];
  const unique = fc.uniqueArray(anyLine, {
    selector: ({ tenantId, priority }) => `${tenantId} ${priority}`,
    minLength: 1,
    maxLength: 10,
  });
  fc.assert(
    fc.property(unique, anyWeights, (lines, given) => {
      const weights = new Map(Object.entries(given));
      const placed = lines.map(
        (line): PlacedJobs => ({
          ...line,
          ...{ type: 'one', refusedBy: [], isNew: true, isKeyed: false, blockedBy: null, placedBy: '1' },
        }),
      );
      const picture = createQueuePicture({
        ...{ epoch: '', snapshot: '', seenAt: '', round: 0, order: { present: 0, passes: [] } },
        lines: placed,
        inFlight: [],
      });
      picture.order.weigh(weights);
      picture.builds.set('build', new Map([['one', 'schema']]));
      const windows = [{ buildId: 'build', size: 0 }];
      groupLines(picture, windows);
      const foreseen = foresee(picture, windows, 5_000);
      for (const [place, line] of lines.entries()) {
        const placedLine = placed[place];
        const ahead = (placedLine && foreseen.ahead(placedLine, line.jobs - 1)) ?? Number.NaN;
        const others = lines.map((one, other) => (other === place ? { ...one, jobs: one.jobs - 1 } : one));
        const said = createWaitModel(others, weights).aheadOf(line);
        errors.push(Math.max((said + 10) / (ahead + 10), (ahead + 10) / (said + 10)));
      }
    }),
    { numRuns: 300, seed: 1 },
  );
  errors.sort((one, other) => one - other);
  expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(1.1);
  expect(errors[Math.floor(errors.length * 0.95)]).toBeLessThan(1.5);
});
