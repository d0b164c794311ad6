import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNewJob, jobView, newJobText } from '../../contract/job-view.ts';
import { newUuid, publicId } from '../../core/job/id.ts';
import type { NewJob } from '../../core/job/new-job.ts';
import { stringifyWithTexts } from '../../core/json/json-text.ts';
import { newJobRow } from './new-job-row.ts';

const writtenAt = new Date('2026-01-02T03:04:05.678Z');
const text = fc.string({ unit: 'binary' });

const newJobs: fc.Arbitrary<NewJob> = fc.record(
  {
    id: fc.constant(newUuid()),
    tenantId: fc.constant(newUuid()),
    type: text,
    queue: text,
    priority: fc.nat(3),
    payloadJson: fc.json(),
    maxAttempts: fc.nat(),
    backoff: fc.constant({ type: 'fixed', delayMs: 1, jitter: 'none' } as const),
    timeoutMs: fc.nat(),
    runAt: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') }),
    delayMs: fc.nat(),
    ttlMs: fc.nat(),
    concurrencyKey: text,
    tags: fc.array(text),
    metadata: fc.dictionary(text, fc.jsonValue()),
    webhook: fc.record({ url: text, events: fc.array(text) }),
    copyOf: fc.constant(newUuid()),
    requestId: text,
    traceparent: fc.constant('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
  },
  {
    requiredKeys: [
      'id',
      'tenantId',
      'type',
      'queue',
      'priority',
      'payloadJson',
      'maxAttempts',
      'backoff',
      'timeoutMs',
      'tags',
      'metadata',
    ],
  },
);

test('the text of a new job is that of its view', () => {
  fc.assert(
    fc.property(newJobs, (job) => {
      const row = newJobRow(job, writtenAt);
      expect(isNewJob(row)).toBe(true);
      expect(newJobText(row, publicId('job', row.id))).toBe(stringifyWithTexts(jobView(row, [])));
    }),
  );
});

test.each([{ version: 2 }, { dispatched_at: writtenAt }])('a job is not new with %j', (happened) => {
  fc.assert(
    fc.property(newJobs, (job) => {
      expect(isNewJob({ ...newJobRow(job, writtenAt), ...happened })).toBe(false);
    }),
  );
});
