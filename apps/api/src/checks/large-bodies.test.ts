import { idempotencyFingerprint } from '@accepted/shared/core/job/idempotency-fingerprint';
import { parseExactly } from '@accepted/shared/core/json/exact-numbers';
import { JsonText } from '@accepted/shared/core/json/json-text';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBodyChecks } from '../http/body-check.ts';
import { mergeFaults } from '../http/faults.ts';
import { readBody } from '../json/read-body.ts';
import { JobRequest } from '../submit/job-request.ts';
import { createLargeBodyReader } from './large-bodies.ts';

const schemaJson = JSON.stringify(JobRequest);
const readLarge = createLargeBodyReader();
const read = (text: string, needsCanonical = false) =>
  readLarge({ bytes: Buffer.from(text), schemaJson, needsCanonical });

const field = fc.oneof(fc.jsonValue(), fc.constantFrom('x', 1, 1_000, ['a'], { type: 'fixed', delayMs: 1 }));
const anyBody = fc.oneof(
  fc.jsonValue(),
  fc.record({ type: fc.constantFrom('x', 7), payload: fc.jsonValue() }, { requiredKeys: [] }),
  fc.record({ type: fc.constant('x'), payload: field, tags: field, metadata: field, retry: field }),
);

test('a body comes to the same in a thread as it does at once', () => {
  const check = createBodyChecks()(JobRequest);
  fc.assert(
    fc.property(anyBody, (body) => {
      const text = JSON.stringify(body);
      const { value, faults } = readBody(Buffer.from(text));
      const expected = mergeFaults(faults, check(value));
      const result = read(text);
      if ('code' in result) {
        expect(result).toEqual({ code: 'validation_failed', faults: expected });
      } else {
        const { restJson, payload } = result;
        expect(expected).toEqual([]);
        expect({ ...JSON.parse(restJson), payload: JSON.parse(payload?.json ?? '') }).toEqual(value);
      }
    }),
  );
});

test('what is no JSON is refused with its place', () => {
  expect(read('{"type": "x",\n "payload" 1}')).toMatchObject({
    code: 'malformed_json',
    faults: [{ detail: expect.stringContaining('line 2') }],
  });
});

test('a body has one fingerprint, whether its payload was kept as a text or not', () => {
  const text =
    '{"payload":{"b":3889108265204450030,"a":[1.0,"ü"]},"type":"x","metadata":{"n":9007199254740993}}';
  const result = read(text, true);
  if ('code' in result) throw new Error(`refused: ${JSON.stringify(result)}`);
  const { restJson, payload } = result;
  const kept = parseExactly(restJson) as object;
  Object.assign(kept, { payload: new JsonText(payload?.json ?? '', payload?.canonical) });
  expect(idempotencyFingerprint('r', kept)).toEqual(idempotencyFingerprint('r', parseExactly(text)));
  const other = new JsonText('{"a":[1,"ü"],"b":3889108265204450030.0}');
  expect(idempotencyFingerprint('r', other)).toEqual(
    idempotencyFingerprint('r', parseExactly('{"b":3889108265204450030,"a":[1.0,"ü"]}')),
  );
});
