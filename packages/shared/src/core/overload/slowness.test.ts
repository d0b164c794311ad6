import { expect, test } from 'vitest';
import { comparedTypes, type OwnPace, slownessOf, toldPace, type WorkPace } from './slowness.ts';

const BOUNDS = { factor: 5, handlersByMs: 100, loopLateMs: 250, handlers: 10 };

function own(handlerMs: Record<string, number>, { loopLateMs = 0, count = 10, spread = 1 } = {}): OwnPace {
  const types = Object.entries(handlerMs).map(([type, ms]) => ({ type, count, ms, surelyMs: ms / spread }));
  return { types, loopLateMs };
}

const other = (handlerMs: Record<string, number>, loopLateMs = 0): WorkPace => ({ handlerMs, loopLateMs });
const judge = (of: OwnPace, ...others: WorkPace[]) => slownessOf(of, others, BOUNDS);

test('who takes five times as long as the median of the others is slow', () => {
  const others = [other({ a: 40 }), other({ a: 100 }), other({ a: 2_000 })];
  expect(judge(own({ a: 500 }), ...others)).toEqual({ of: 'handlers', type: 'a', ms: 500, othersMs: 100 });
  expect(judge(own({ a: 499 }), ...others)).toBeUndefined();
  expect(judge(own({ a: 500 }), other({ a: 40 }), other({ a: 160 }))).toMatchObject({ othersMs: 100 });
});

test('one other is enough to be compared with, and none is not', () => {
  expect(judge(own({ a: 500 }), other({ a: 20 }))).toBeDefined();
  expect(judge(own({ a: 500 }, { loopLateMs: 5_000 }))).toBeUndefined();
});

test('all who are as slow, and the quick one among two, are not', () => {
  expect(judge(own({ a: 5_000 }), other({ a: 5_000 }), other({ a: 4_000 }))).toBeUndefined();
  expect(judge(own({ a: 20 }), other({ a: 5_000 }))).toBeUndefined();
});

test('types that others do not run, or of which few were seen, are not compared', () => {
  expect(judge(own({ a: 5_000 }), other({ b: 1 }))).toBeUndefined();
  expect(judge(own({ a: 5_000 }, { count: 9 }), other({ a: 1 }))).toBeUndefined();
  expect(judge(own({ a: 5_000, b: 5_000 }), other({ b: 1 }))).toMatchObject({ type: 'b' });
  expect(judge(own({ constructor: 5_000 }), other({ a: 1 }))).toBeUndefined();
});

test('what hardly matters is nothing, however many times as long it takes', () => {
  expect(judge(own({ a: 60 }), other({ a: 1 }))).toBeUndefined();
});

test('nor is what may be chance', () => {
  expect(judge(own({ a: 500 }, { spread: 4 }), other({ a: 100 }))).toBeDefined();
  expect(judge(own({ a: 500 }, { spread: 6 }), other({ a: 100 }))).toBeUndefined();
});

test('an event loop that is late by far more than those of others is slow', () => {
  const late = (loopLateMs: number) => own({ a: 20 }, { loopLateMs });
  expect(judge(late(300), other({ a: 20 }, 10))).toEqual({ of: 'event loop', ms: 300, othersMs: 10 });
  expect(judge(late(240), other({ a: 20 }, 10))).toBeUndefined();
  expect(judge(late(300), other({ a: 20 }, 200))).toBeUndefined();
  expect(judge(late(300), other({ b: 20 }, 10))).toBeUndefined();
});

test('of the types that are run most others are told, and of those they are asked', () => {
  const types = Array.from({ length: 30 }, (_, n) => ({ type: `t${n}`, count: n, ms: n, surelyMs: n }));
  const told = toldPace({ types, loopLateMs: 7 });
  expect(told.loopLateMs).toBe(7);
  expect(Object.keys(told.handlerMs)).toHaveLength(20);
  expect(told.handlerMs).toMatchObject({ t29: 29, t10: 10 });
  expect(comparedTypes({ types: types.slice(0, 5), loopLateMs: 0 }, { handlers: 3 })).toEqual(['t4', 't3']);
});
