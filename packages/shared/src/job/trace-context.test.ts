import { expect, test } from 'vitest';
import { parseTraceContext, traceIdOf } from './trace-context.ts';

const VALID = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('a valid traceparent is taken with its tracestate', () => {
  expect(parseTraceContext(VALID, 'a=1,b=2')).toEqual({ traceparent: VALID, tracestate: 'a=1,b=2' });
  expect(traceIdOf(VALID)).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
});

test.each([
  ['missing', undefined],
  ['a list', [VALID, VALID]],
  ['empty', ''],
  ['upper case', VALID.toUpperCase()],
  ['a zero trace id', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
  ['a zero parent id', `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`],
  ['version ff', `ff${VALID.slice(2)}`],
  ['version 00 with more fields', `${VALID}-what`],
  ['a line break', `${VALID}\n`],
])('%s is no traceparent', (_name, value) => {
  expect(parseTraceContext(value, 'a=1')).toBeUndefined();
});

test('a later version may have more fields', () => {
  const later = `cc${VALID.slice(2)}-what.the.future.will.be.like`;
  expect(parseTraceContext(later, undefined)).toEqual({ traceparent: later });
});

test.each([['a\u0000b'], ['x'.repeat(513)], [''], [['a=1', 'b=2']]])(
  'a bad tracestate is dropped alone',
  (value) => {
    expect(parseTraceContext(VALID, value)).toEqual({ traceparent: VALID });
  },
);
