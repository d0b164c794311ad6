import { expect, test } from 'vitest';
import { createPace, type Pace } from './pace.ts';

const TURN_MS = 50;

/** Has jobs of these times end one a turn, or so many, from `fromMs` on; answers what was judged, and until when. */
function run(
  pace: Pace,
  fromMs: number,
  times: readonly number[],
  { isHanging = false, learns = true, aTurn = 1 } = {},
) {
  const judged: string[] = [];
  let nowMs = fromMs;
  for (let place = 0; place < times.length; place += aTurn) {
    nowMs += TURN_MS;
    for (const ms of times.slice(place, place + aTurn)) pace.land(1, ms, nowMs);
    const verdict = pace.judge({ isHanging, learns }, nowMs);
    if (verdict) judged.push(verdict);
  }
  return { judged, nowMs };
}

/** Without the first, which are judged together with the last of before. */
const kindsOf = ({ judged }: { judged: string[] }) => [...new Set(judged.slice(1))];

const usually = (ms: number, jobs = 200) => Array<number>(jobs).fill(ms);

function known(ms: number): { pace: Pace; nowMs: number } {
  const pace = createPace(undefined, 0);
  return { pace, ...run(pace, 0, usually(ms)) };
}

test('many times as slow as usual is slow, a little slower is not, and a tenth of a second never is', () => {
  const judgedOf = (ms: number) => {
    const { pace, nowMs } = known(5);
    return kindsOf(run(pace, nowMs, usually(ms, 50), { learns: false }));
  };
  expect([2_000, 120, 100, 20, 5].map(judgedOf)).toEqual([
    ['slow'],
    ['slow'],
    ['usual'],
    ['usual'],
    ['usual'],
  ]);
});

test('who has always been slow is as usual, and slow once it is many times as slow as that', () => {
  const { pace, nowMs } = known(2_000);
  const { judged, nowMs: laterMs } = run(pace, nowMs, usually(3_000, 50));
  expect(new Set(judged)).toEqual(new Set(['usual']));
  expect(kindsOf(run(pace, laterMs, usually(20_000, 50), { learns: false }))).toEqual(['slow']);
});

/** So many of a hundred take ten seconds, the others five milliseconds. */
function mixed(percent: number, jobs: number): number[] {
  let state = 2026;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return Array.from({ length: jobs }, () => (next() * 100 < percent ? 10_000 : 5));
}

test.each([1, 5, 10, 20, 30, 50, 80])(
  'a type of whose jobs %d %% take two thousand times as long as others is hardly ever slow twice in a row',
  (percent) => {
    const pace = createPace(undefined, 0);
    const { judged } = run(pace, 0, mixed(percent, 20_000));
    const inARow = judged.filter((verdict, place) => verdict === 'slow' && judged[place - 1] === 'slow');
    expect(judged.length).toBeGreaterThan(2_000);
    expect(inARow.length).toBeLessThanOrEqual(judged.length / 1_000);
  },
);

test('handlers that hang are slow before any has ended, but not of a type of which some usually do', () => {
  const { pace, nowMs } = known(5);
  const hang = (ofPace: Pace, sinceMs: number) =>
    [1_000, 1_250, 1_500, 1_750].map((ms) => ofPace.judge({ isHanging: true, learns: false }, sinceMs + ms));
  // The last few that ended are judged first.
  expect(hang(pace, nowMs)).toEqual(['usual', 'slow', 'slow', 'slow']);
  const often = createPace(undefined, 0);
  const { nowMs: laterMs } = run(often, 0, usually(5), { isHanging: true });
  expect(hang(often, laterMs)).toEqual(['usual', undefined, undefined, undefined]);
  const unknown = createPace(undefined, 0);
  expect(hang(unknown, 0)).toEqual([undefined, undefined, undefined, undefined]);
});

test('handlers that are said to hang while others of the type end as usual are not slow', () => {
  const { pace, nowMs } = known(5);
  expect(new Set(run(pace, nowMs, usually(5, 50), { isHanging: true, learns: false }).judged)).toEqual(
    new Set(['usual']),
  );
});

test('who fails quickly for five minutes is not slow when that is over', () => {
  const { pace, nowMs } = known(200);
  const { nowMs: laterMs } = run(pace, nowMs, usually(1, 6_000));
  expect(new Set(run(pace, laterMs, usually(200, 50)).judged)).toEqual(new Set(['usual']));
});

test('what becomes slower by degrees over a minute is slow, and what is accepted is as usual', () => {
  const { pace, nowMs } = known(5);
  const byDegrees = Array.from({ length: 1_200 }, (_, place) => 5 * 400 ** (place / 1_200));
  const { judged, nowMs: laterMs } = run(pace, nowMs, byDegrees);
  expect(judged.slice(-10)).toEqual(Array(10).fill('slow'));
  pace.accept();
  expect(new Set(run(pace, laterMs, usually(2_000, 50)).judged)).toEqual(new Set(['usual']));
});
