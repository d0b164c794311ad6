import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseJobs } from './choose-jobs.ts';
import { explainWait, foresee, whyWaiting } from './explain-wait.ts';
import { gateOf, kindOfGate } from './gates.ts';
import { keyOf, type Line } from './queue-lines.ts';
import { createQueuePicture, groupLines, type PlacedJobs, type QueuePicture } from './queue-picture.ts';
import { waitsByReason } from './waits-by-reason.ts';

const BUILD = 'build';
const TAKES = new Map([
  ['one', 'schema of one'],
  ['two', 'schema of two'],
]);
const ROOM = 1_000;

const anyLine = fc.record({
  tenantId: fc.constantFrom('a', 'b', 'c'),
  type: fc.constantFrom('one', 'two', 'unknown'),
  refusedBy: fc.constantFrom<string[]>([], ['schema of one'], ['schema of none']),
  priority: fc.constantFrom(0, 2, 3),
  isNew: fc.boolean(),
  isKeyed: fc.constant(false),
  blockedBy: fc.constantFrom(null, null, 'key'),
  placedBy: fc.constantFrom('1', '2', '3'),
  jobs: fc.integer({ min: 1, max: 5 }),
});
/** No line twice. */
const anyLines = fc
  .uniqueArray(anyLine, { selector: (line) => keyOf(line), minLength: 1, maxLength: 12 })
  .map((lines): PlacedJobs[] => lines.map((line) => ({ ...line, isKeyed: line.blockedBy !== null })));

const GATES = [
  gateOf.queue(),
  ...['one', 'two'].map(gateOf.type),
  ...['a', 'b', 'c'].map(gateOf.tenant),
  ...['a', 'b'].map((tenant) => gateOf.key(tenant, 'key')),
];
/** Few are closed, or hardly anything would go. */
const anyFull = fc.subarray(GATES, { maxLength: 2 }).map((gates) => new Set(gates));
/** Nobody pauses a key. */
const anyPaused = anyFull.map((gates) => new Set([...gates].filter((gate) => kindOfGate(gate) !== 'key')));

interface Closed {
  paused: ReadonlySet<string>;
  full: ReadonlySet<string>;
}

function pictureOf(lines: PlacedJobs[], { paused, full }: Closed): QueuePicture {
  const picture = createQueuePicture({
    ...{ epoch: '', snapshot: '', seenAt: '', round: 0, order: { present: 0, passes: [] } },
    lines,
    inFlight: [],
  });
  picture.lines.gates.pause(paused);
  for (const gate of full) picture.lines.gates.close(gate, false);
  picture.builds.set(BUILD, TAKES);
  groupLines(picture, [{ buildId: BUILD, size: ROOM }], [...TAKES.keys()]);
  return picture;
}

/** Has the dispatcher take all that it can in turns of `room` jobs; answers the line of each, in the order in which they went. */
function takeAll(picture: QueuePicture, room: number): Line[] {
  const taken: Line[] = [];
  for (;;) {
    const { lines } = chooseJobs(picture, [{ buildId: BUILD, size: room }]);
    if (lines.length === 0) return taken;
    const turn = lines.flatMap(({ line, places }) => places.map((place) => ({ line, place })));
    taken.push(...turn.sort((one, other) => one.place - other.place).map(({ line }) => line));
    for (const { line, places } of lines)
      if (places.length >= line.jobs) picture.lines.remove(line);
      else picture.lines.advance(line, places.length, line.placedBy);
  }
}

describe('what is said of a line is what the dispatcher does', () => {
  test('it is held up exactly if none of its jobs goes', () => {
    fc.assert(
      fc.property(anyLines, anyPaused, anyFull, (lines, paused, full) => {
        const taken = new Set(takeAll(pictureOf(lines, { paused, full }), ROOM).map(keyOf));
        for (const line of lines) {
          const codes = whyWaiting(line, { paused, full, rated: new Set(), takenBy: [TAKES] });
          expect([keyOf(line), codes.length === 0]).toEqual([keyOf(line), taken.has(keyOf(line))]);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('so many go before each job as were foreseen, whatever the room of a turn', () => {
    fc.assert(
      fc.property(
        anyLines,
        anyPaused,
        anyFull,
        fc.integer({ min: 1, max: 7 }),
        (lines, paused, full, room) => {
          const windows = [{ buildId: BUILD, size: room }];
          const foreseen = foresee(pictureOf(lines, { paused, full }), windows, ROOM);
          const before = new Map<string, number>();
          for (const [ahead, line] of takeAll(pictureOf(lines, { paused, full }), room).entries()) {
            const inLine = before.get(keyOf(line)) ?? 0;
            before.set(keyOf(line), inLine + 1);
            expect(foreseen.ahead(line, inLine)).toBe(ahead);
          }
          for (const line of lines)
            expect(foreseen.ahead(line, before.get(keyOf(line)) ?? 0)).toBeUndefined();
        },
      ),
      { numRuns: 500 },
    );
  });
});

const LINE = {
  ...{ tenantId: 'a', type: 'one', refusedBy: [], priority: 2, isNew: true, isKeyed: true, blockedBy: null },
};
const STAND = { line: LINE, before: 0, concurrencyKey: 'key', concurrencyLimit: 2, held: 2 };
const CONDITIONS = {
  paused: new Set<string>(),
  full: new Set<string>(),
  rated: new Set<string>(),
  takenBy: [TAKES],
};
const NOBODY_FORESEEN = { lookedAt: () => 7, ahead: () => undefined };

test('a key is full by the limit of the build in force, and else by that of the job', () => {
  const outlook = { conditions: CONDITIONS, foreseen: NOBODY_FORESEEN, isCut: false, keyLimits: [] };
  expect(explainWait(STAND, outlook)).toEqual({ codes: ['concurrency_key_full'] });
  const raised = { ...outlook, keyLimits: [{ name: 'one', most: 3 }] };
  expect(explainWait(STAND, raised)).toEqual({ ahead: 7, isAtLeast: true });
  expect(explainWait({ ...STAND, concurrencyKey: null, before: 9 }, outlook)).toEqual({
    ahead: 9,
    isAtLeast: true,
  });
});

test('where there are lines that nobody looked at, jobs of theirs may go before it', () => {
  const foreseen = { lookedAt: () => 7, ahead: () => 3 };
  const outlook = { conditions: CONDITIONS, foreseen, keyLimits: [] };
  const stand = { ...STAND, concurrencyKey: null };
  const isAtLeast = (isCut: boolean) => explainWait(stand, { ...outlook, isCut });
  expect(isAtLeast(false)).toEqual({ ahead: 3, isAtLeast: false });
  expect(isAtLeast(true)).toEqual({ ahead: 3, isAtLeast: true });
});

test('the hardest reason comes first, and jobs are counted under it', () => {
  const conditions = {
    paused: new Set([gateOf.queue(), gateOf.tenant('a')]),
    full: new Set([gateOf.type('one'), gateOf.queue()]),
    rated: new Set([gateOf.type('one')]),
    takenBy: [],
  };
  expect(whyWaiting(LINE, conditions)).toEqual([
    'queue_paused',
    'tenant_paused',
    'no_worker',
    'queue_limit',
    'type_limit',
    'rate_limit',
  ]);
  const line = { tenantId: 'a', type: 'one', refusedBy: [], blockedBy: null, jobs: 3, ageMs: 40 };
  const lines = [
    line,
    { ...line, blockedBy: 'key', jobs: 5, ageMs: 70 },
    { ...line, type: 'unknown', jobs: 1, ageMs: 10 },
  ];
  expect(waitsByReason(lines, CONDITIONS)).toEqual([
    { reason: 'concurrency_key_full', jobs: 5, oldestAgeMs: 70 },
    { reason: 'position', jobs: 3, oldestAgeMs: 40 },
    { reason: 'no_worker', jobs: 1, oldestAgeMs: 10 },
  ]);
  expect(waitsByReason(lines, { ...CONDITIONS, paused: new Set([gateOf.tenant('a')]) })).toEqual([
    { reason: 'tenant_paused', jobs: 9, oldestAgeMs: 70 },
  ]);
});
