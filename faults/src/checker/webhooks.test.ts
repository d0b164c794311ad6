import { expect, test } from 'vitest';
import { delivery, hit, job, soundRun } from './testing/sound-run.ts';
import { checkWebhooks } from './webhooks.ts';

const check = (over: Parameters<typeof soundRun>[0]) => checkWebhooks(soundRun(over));
const teller = job({ hasWebhook: true });

test('a success with a webhook and no delivery is a violation', () => {
  expect(check({ jobs: [teller], hits: [] }).violations).toEqual([
    'job_1 has succeeded and has a webhook, but no delivery.',
  ]);
});

test.each([
  ['nobody saw', []],
  ['was refused', [hit({ replied: 500 })]],
  ['got no reply', [hit({ replied: null })]],
])('a delivery that is recorded as done but %s is a violation', (_, hits) => {
  expect(check({ hits }).violations).toEqual([
    'The delivery job_2 of evt_1 has succeeded, but the receiver never took it.',
  ]);
});

test('a failed delivery needs a dead letter', () => {
  const jobs = [teller, delivery({ status: 'failed' })];
  const letter = {
    jobId: 'job_2',
    reason: 'attempts_exhausted',
    attempt: 10,
    createdAt: 1,
    resolution: null,
  };
  expect(check({ jobs, hits: [] }).violations).toEqual([
    'The delivery job_2 of evt_1 failed without a dead letter.',
  ]);
  expect(check({ jobs, hits: [], deadLetters: [letter] }).violations).toEqual([]);
});

test('a delivery that waits for its next try is counted; one that nobody has tried is a violation', () => {
  const waiting = check({ jobs: [teller, delivery({ status: 'retrying' })] });
  expect(waiting.violations).toEqual([]);
  expect(waiting.figures).toMatchObject({ stillTried: 1, delivered: 0 });
  expect(check({ jobs: [teller, delivery({ status: 'queued' })] }).violations).toEqual([
    'The delivery job_2 of evt_1 is queued.',
  ]);
});

test('tries of one event with different bodies are a violation', () => {
  expect(check({ hits: [hit({ replied: 500 }), hit({ bodyHash: 'bb' })] }).violations).toEqual([
    'evt_1 came with 2 different bodies.',
  ]);
});

test('a second try with another id is a violation', () => {
  expect(check({ hits: [hit(), hit({ webhookId: 'evt_9' })] }).violations).toEqual([
    'The receiver got evt_9, which is no event of the ledger.',
  ]);
});

test('a signature that is not valid, and an event of another job, are violations', () => {
  expect(check({ hits: [hit({ signatureValid: false }), hit({ jobId: 'job_9' })] }).violations).toEqual([
    'evt_1 told of another job than job_1.',
    'evt_1 came 1 times with a signature that is not valid.',
  ]);
});

test('an event that was taken twice under one id is counted', () => {
  const verdict = check({ hits: [hit(), hit()] });
  expect(verdict.violations).toEqual([]);
  expect(verdict.figures).toMatchObject({ deliveredMoreThanOnce: 1, eventsTriedAgain: 1 });
});
