import { expect, test } from 'vitest';
import type { AckLine } from '../logs.ts';
import { checkRefusals } from './refusals.ts';
import { ack, soundRun } from './testing/sound-run.ts';

const refusal = (over: Partial<AckLine> = {}) =>
  ack({
    outcome: 'refused',
    status: 503,
    jobId: null,
    isProblem: true,
    latencyMs: 900,
    during: ['postgres-crashed'],
    ...over,
  });
const check = (acks: AckLine[], size = 'standard') =>
  checkRefusals(soundRun({ acks, run: { ...soundRun().run, size } }));

test('a 503 or a 429 in time, with a problem document, is fine', () => {
  expect(check([refusal(), refusal({ status: 429, during: null })])).toMatchObject({
    violations: [],
    figures: { refused: 2, refusedBesideFaults: 1, refusalP99Ms: 900, otherErrors: 0, silences: 0 },
  });
});

test('any other status, and a refusal that does not say why, are violations', () => {
  expect(check([refusal({ status: 500 }), refusal({ status: 500 })]).violations).toEqual([
    '2 × a 500 with a problem document (postgres-crashed).',
  ]);
  expect(check([refusal({ status: 401, during: null })]).violations).toEqual([
    '1 × a 401 with a problem document (no fault).',
  ]);
  expect(check([refusal({ isProblem: false })]).violations).toEqual([
    '1 × a 503 without a problem document (postgres-crashed).',
  ]);
});

test('a refusal that takes too long is a violation; a small run has more time', () => {
  expect(check([refusal({ latencyMs: 2_001 })]).violations).toEqual([
    'A refusal took 2001 ms (p99); 2000 ms are allowed.',
  ]);
  expect(check([refusal({ latencyMs: 2_001 })], 'small').violations).toEqual([]);
});

test('silence until the client gives up is a violation; a connection that breaks is not', () => {
  const unknown = { outcome: 'unknown', status: null, isProblem: false } as const;
  expect(check([refusal({ ...unknown, latencyMs: 5_003 })]).violations).toEqual([
    '1 requests got no answer within 5000 ms (postgres-crashed).',
  ]);
  expect(check([refusal({ ...unknown, latencyMs: 3 })]).violations).toEqual([]);
});
