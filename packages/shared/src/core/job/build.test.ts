import { expect, test } from 'vitest';
import { DEFAULT_BACKOFF } from './backoff.ts';
import { buildId, schemaId } from './build.ts';
import type { JobTypeDescription } from './job-type.ts';

const defaults = { maxAttempts: 3, backoff: DEFAULT_BACKOFF, timeoutMs: 1_000 };
const greet: JobTypeDescription = {
  type: 'greet',
  queue: 'default',
  payloadSchema: { type: 'object', properties: { n: { type: 'number' } } },
  defaults,
};
const sing: JobTypeDescription = { ...greet, type: 'sing' };

test('a build is the same whatever the order of its types and of the words of their schemas', () => {
  const reordered = { ...greet, payloadSchema: { properties: { n: { type: 'number' } }, type: 'object' } };
  expect(buildId([sing, reordered], '1.0.0')).toBe(buildId([greet, sing], '1.0.0'));
  expect(schemaId(reordered.payloadSchema)).toBe(schemaId(greet.payloadSchema));
  expect(buildId([greet], '1.0.0')).toMatch(/^[0-9a-f]{12}$/);
});

test.each<[string, JobTypeDescription[], string]>([
  ['another version', [greet], '1.0.1'],
  ['another type', [greet, sing], '1.0.0'],
  ['another queue', [{ ...greet, queue: 'slow' }], '1.0.0'],
  ['another schema', [{ ...greet, payloadSchema: {} }], '1.0.0'],
  ['a schema of the result', [{ ...greet, resultSchema: {} }], '1.0.0'],
  ['other defaults', [{ ...greet, defaults: { ...defaults, maxAttempts: 4 } }], '1.0.0'],
])('%s makes another build', (_, types, version) => {
  expect(buildId(types, version)).not.toBe(buildId([greet], '1.0.0'));
});
