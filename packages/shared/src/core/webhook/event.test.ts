import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from '../job/backoff.ts';
import { newUuid, parsePublicId, publicId } from '../job/id.ts';
import { type DeliveryPayload, deliveryJobs, type NotifiedJob } from './event.ts';

const job: NotifiedJob = {
  id: newUuid(),
  tenant_id: newUuid(),
  type: 'report.render',
  status: 'succeeded',
  webhook: { url: 'https://receiver.example:8443/hook?team=7', events: ['job.succeeded', 'job.failed'] },
  finished_at: new Date('2026-01-02T03:04:05.678Z'),
  request_id: 'req-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: null,
};
const links = { result: '/v1/jobs/job_1/result' };
const view = { id: 'job_1', status: 'succeeded', payload: { secret: 1 }, result: { pages: 3 }, links };

function deliver(of: NotifiedJob, seen: object) {
  const [delivery, ...others] = deliveryJobs(of, seen);
  if (!delivery) throw new Error('There is no delivery.');
  expect(others).toEqual([]);
  const payload: DeliveryPayload = JSON.parse(delivery.payloadJson);
  return { delivery, payload, body: JSON.parse(payload.body) };
}

describe('deliveryJobs', () => {
  it('makes one job of the tenant that carries the exact body to send, without the payload', () => {
    const { delivery, payload, body } = deliver(job, view);
    expect(delivery).toMatchObject({
      tenantId: job.tenant_id,
      type: 'webhook.deliver',
      queue: 'webhooks',
      maxAttempts: 10,
      concurrencyKey: 'endpoint:https://receiver.example:8443',
      concurrencyLimit: 5,
      metadata: { event: 'job.succeeded', jobId: publicId('job', job.id) },
      requestId: 'req-1',
      traceparent: job.traceparent,
    });
    expect(delivery).not.toHaveProperty('tracestate');
    expect(payload.url).toBe(job.webhook?.url);
    expect(parsePublicId('event', payload.eventId)).toBeDefined();
    const data = { id: 'job_1', status: 'succeeded', result: { pages: 3 }, links };
    expect(body).toEqual({ type: 'job.succeeded', timestamp: '2026-01-02T03:04:05.678Z', data });
  });

  it('gives each event an id of its own', () => {
    expect(deliver(job, view).payload.eventId).not.toBe(deliver(job, view).payload.eventId);
  });

  it.each<[string, Partial<NotifiedJob>]>([
    ['asks for no webhook', { webhook: null }],
    ['asks for other events', { status: 'canceled' }],
    ['is not finished', { status: 'retrying', finished_at: null }],
    ['is itself a delivery', { type: 'webhook.deliver' }],
  ])('makes none for a job that %s', (_name, change) => {
    expect(deliveryJobs({ ...job, ...change }, view)).toEqual([]);
  });

  it('sends a link instead of a result too large for a body', () => {
    const { payload, body } = deliver(job, { ...view, tags: ['a'], result: 'ü'.repeat(10_000) });
    expect(Buffer.byteLength(payload.body)).toBeLessThanOrEqual(20_000);
    expect(body.data).toEqual({ id: 'job_1', status: 'succeeded', tags: ['a'], links });
  });

  it.each(['metadata', 'progress', 'tags', 'error'])('keeps a body small whatever the size of %s', (name) => {
    const { payload, body } = deliver(job, { ...view, [name]: 'x'.repeat(30_000) });
    expect(Buffer.byteLength(payload.body)).toBeLessThanOrEqual(20_000);
    expect(body.data).toMatchObject({ id: 'job_1', status: 'succeeded', links });
  });

  it('tries at 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h', () => {
    const { delivery } = deliver(job, view);
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(
      (made) => backoffDelayMs(delivery.backoff, made, 1) / 1_000,
    );
    expect(waits).toEqual([5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
    expect(backoffDelayMs(delivery.backoff, 1, 0)).toBe(2_500);
  });

  it('still makes a delivery for an address that is no URL, so that a dead letter tells of it', () => {
    const { delivery } = deliver({ ...job, webhook: { url: 'nowhere', events: ['job.succeeded'] } }, view);
    expect(delivery.concurrencyKey).toBe('endpoint:invalid');
  });
});
