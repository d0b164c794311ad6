import fc from 'fast-check';
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

test('whatever is taken is safe to send on, and its trace id is 32 hex digits; nothing makes the parser throw', () => {
  const nearly = fc.stringMatching(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[ -~]{0,90})?$/);
  const values = fc.oneof(fc.anything(), fc.string(), nearly);
  fc.assert(
    fc.property(values, fc.oneof(fc.anything(), fc.string()), (traceparent, tracestate) => {
      const taken = parseTraceContext(traceparent, tracestate);
      if (!taken) return;
      expect(taken.traceparent).toMatch(/^[\x21-\x7e]{55,128}$/);
      expect(taken.tracestate ?? 'a').toMatch(/^[\x20-\x7e]{1,512}$/);
      expect(traceIdOf(taken.traceparent)).toMatch(/^[0-9a-f]{32}$/);
    }),
    { numRuns: 1_000 },
  );
});
