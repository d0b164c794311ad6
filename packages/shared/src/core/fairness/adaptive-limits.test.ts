import { describe, expect, test } from 'vitest';
import {
  type AdaptiveLimits,
  createAdaptiveLimits,
  type HeldType,
  type SeenTypes,
} from './adaptive-limits.ts';

const SLOTS = 10;
const LOOK_MS = 50;
const MINUTE_MS = 60_000;
const BUILD = new Map(['slow', 'other', 'third'].map((type) => [type, 'schema']));
const LANE = { concurrency: SLOTS, takes: BUILD };

/** How long the jobs take of the types that are there; one of each ends at every look. */
type Times = Partial<Record<'slow' | 'other' | 'third', number>>;

/** A dispatcher that looks twenty times a second. */
function lookingAt(limits: AdaptiveLimits = createAdaptiveLimits([], 0), lanes: SeenTypes['lanes'] = [LANE]) {
  let nowMs = 0;
  let inForce: ReturnType<AdaptiveLimits['see']> = new Map();
  return {
    /** Looks on for so long; answers what is in force then. */
    look(forMs: number, times: Times, waiting: readonly string[] = []) {
      const untilMs = nowMs + forMs;
      const landings = Object.entries(times).map(([type, ranMs]) => ({ type, started: 1, ranMs }));
      const inFlight = new Map(Object.keys(times).map((type) => [type, 1]));
      while (nowMs < untilMs) {
        nowMs += LOOK_MS;
        inForce = limits.see({ landings, inFlight, waiting: new Set(waiting), slowTypes: [], lanes }, nowMs);
      }
      return Object.fromEntries([...inForce].map(([type, { most }]) => [type, most]));
    },
    yields: () => inForce.get('slow')?.yields,
    held: () => limits.held(nowMs),
  };
}

const QUICK: Times = { slow: 5, other: 5 };
const SLOW: Times = { slow: 2_000, other: 5 };

test('a type that becomes slow has a tenth of the slots within seconds', () => {
  const { look } = lookingAt();
  expect(look(MINUTE_MS, QUICK)).toEqual({});
  expect(look(3_000, SLOW)).toEqual({ slow: 1 });
  expect(look(MINUTE_MS, SLOW)).toEqual({ slow: 1 });
});

test('one that is quick again has all slots within seconds, where none of its jobs are left', () => {
  const { look } = lookingAt();
  look(MINUTE_MS, QUICK);
  look(MINUTE_MS, SLOW);
  expect(look(5_000, QUICK)).toEqual({});
});

test('one that has to catch up yields to others, who go first beyond what it usually needs', () => {
  const { look, yields } = lookingAt();
  look(MINUTE_MS, { slow: 100, other: 5 });
  look(MINUTE_MS, SLOW);
  expect(yields()).toBe(false);
  // It usually runs two at once; what was seen of its slowness adds a bit, and some go ahead.
  expect(look(5_000, { slow: 100, other: 5 }, ['slow'])).toEqual({ slow: 5 });
  expect(yields()).toBe(true);
  expect(look(LOOK_MS * 10, { slow: 100, other: 5 })).toEqual({});
});

test('one that becomes slow once more while it catches up is held down again', () => {
  const { look, yields } = lookingAt();
  look(MINUTE_MS, QUICK);
  look(MINUTE_MS, SLOW);
  look(5_000, QUICK, ['slow']);
  look(3_000, SLOW, ['slow']);
  expect([look(LOOK_MS, SLOW, ['slow']), yields()]).toEqual([{ slow: 1 }, false]);
});

test('one that has always been slow, and others that become slow in a small way, are not held down', () => {
  const { look } = lookingAt();
  expect(look(10 * MINUTE_MS, SLOW)).toEqual({});
  const { look: lookAtOther } = lookingAt();
  lookAtOther(MINUTE_MS, QUICK);
  expect(lookAtOther(MINUTE_MS, { slow: 20, other: 20 })).toEqual({});
});

test('one that has become slow for good is not held down for longer than ten minutes, nor afterwards', () => {
  const { look } = lookingAt();
  look(MINUTE_MS, QUICK);
  expect(look(9 * MINUTE_MS, SLOW)).toEqual({ slow: 1 });
  expect(look(MINUTE_MS + 5_000, SLOW)).toEqual({});
  expect(look(10 * MINUTE_MS, SLOW)).toEqual({});
});

describe('who is slow has all slots but a tenth', () => {
  test('while no others have been there for ten seconds', () => {
    const { look } = lookingAt();
    look(MINUTE_MS, QUICK);
    expect(look(9_000, { slow: 2_000 })).toEqual({ slow: 1 });
    expect(look(2_000, { slow: 2_000 })).toEqual({ slow: 9 });
    expect(look(LOOK_MS, SLOW)).toEqual({ slow: 1 });
  });

  test('beside others that are slow as well: each is held down by itself, for those that are not', () => {
    const { look } = lookingAt();
    look(MINUTE_MS, { slow: 5, other: 5, third: 5 });
    expect(look(5_000, { slow: 2_000, other: 2_000, third: 5 })).toEqual({ slow: 1, other: 1 });
    expect(look(20_000, { slow: 2_000, other: 2_000 })).toEqual({ slow: 9, other: 9 });
  });

  test('beside others that run elsewhere', () => {
    const alone = [
      { concurrency: SLOTS, takes: new Map([...BUILD].filter(([type]) => type !== 'other')) },
      { concurrency: SLOTS, takes: new Map([...BUILD].filter(([type]) => type === 'other')) },
    ];
    const { look } = lookingAt(undefined, alone);
    look(MINUTE_MS, QUICK);
    expect(look(5_000, SLOW)).toEqual({ slow: 9 });
  });
});

test('the only type that workers have is never held down', () => {
  const { look } = lookingAt(undefined, [{ concurrency: SLOTS, takes: new Map([['slow', 'schema']]) }]);
  look(MINUTE_MS, { slow: 5 });
  expect(look(MINUTE_MS, { slow: 2_000 })).toEqual({});
});

test('the dispatcher that comes next goes on with what the one before has told', () => {
  const before = lookingAt();
  before.look(MINUTE_MS, QUICK);
  before.look(5_000, SLOW);
  const told: HeldType[] = JSON.parse(JSON.stringify(before.held()));
  const { look } = lookingAt(createAdaptiveLimits(told, 0));
  expect(look(MINUTE_MS, SLOW)).toEqual({ slow: 1 });
  expect(look(5_000, QUICK)).toEqual({});
  expect(lookingAt(createAdaptiveLimits(told, 0)).look(10 * MINUTE_MS, SLOW)).toEqual({});
});
