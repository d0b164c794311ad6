import { expect, test } from 'vitest';
import { createBodies } from './bodies.ts';
import type { JobKind, Picked } from './mix.ts';

const bodyOf = createBodies();
const picked = (kind: Partial<JobKind>, more: Partial<Picked> = {}): Picked => ({
  kind: { type: 'overload.mail', weight: 1, ...kind },
  sender: { name: 'all', headers: {}, weight: 1 },
  bytes: 200,
  priority: undefined,
  isPolled: false,
  ...more,
});
const parsed = (...args: Parameters<typeof bodyOf>) => JSON.parse(bodyOf(...args));

test('a body says what its kind is, and nothing that it is not asked to', () => {
  expect(parsed(7, picked({ workMs: 10 }))).toEqual({
    type: 'overload.mail',
    payload: { n: 7, noteStart: true, workMs: 10, text: expect.any(String) },
  });
  const asked = picked({ ttlMs: 1_000, webhookUrl: 'http://127.0.0.1:1/' }, { priority: 'low' });
  expect(parsed(7, asked)).toMatchObject({
    priority: 'low',
    ttlMs: 1_000,
    webhook: { url: 'http://127.0.0.1:1/' },
  });
});

test('a call has its number in what is sent to the receiver', () => {
  const { type, payload } = parsed(7, picked({ type: 'http.request', callUrl: 'http://127.0.0.1:1/' }));
  expect([type, payload.url, payload.body.n]).toEqual(['http.request', 'http://127.0.0.1:1/', 7]);
});

test('a payload is about as long as it is to be', () => {
  const { payload } = parsed(7, picked({}, { bytes: 10_000 }));
  expect(JSON.stringify(payload).length / 10_000).toBeCloseTo(1, 2);
});
