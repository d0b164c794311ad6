import type { WaitCode } from '@accepted/shared/core/fairness/explain-wait';
import { type Static, Type } from 'typebox';
import { oneOf } from '../../schemas/one-of.ts';
import { orNull, time } from '../../schemas/shared-schemas.ts';

/** Why a job is where it is, and what people are told of it. */
const MESSAGES = {
  position: 'Nothing holds it up: it is started when its turn comes.',
  no_worker: 'No live worker runs its type, or the schema of those that do refuses its payload.',
  queue_paused: 'The queue is paused.',
  type_paused: 'The job type is paused.',
  tenant_paused: 'The tenant is paused.',
  concurrency_key_full:
    'All slots of its concurrency key are taken: it waits for one of the jobs that have them.',
  type_limit: 'As many jobs of its type are in flight as may be.',
  tenant_limit: 'As many jobs of its tenant are in flight as may be.',
  queue_limit: 'As many jobs of its queue are in flight as may be.',
  rate_limit: 'As many jobs of its queue or type were started as may be in this time.',
  scheduled: 'Its time has not come.',
  backoff: 'Its latest attempt failed; it waits for the next one.',
  breaker_open:
    'What it calls does not answer: it waits, and loses no attempt, until a job that tries is answered.',
  in_delivery: 'It is on its way to a worker.',
  running: 'It runs.',
  finished: 'It is finished.',
} as const satisfies Record<WaitCode, string> & Record<string, string>;

export type ReasonCode = keyof typeof MESSAGES;

const Reason = Type.Object(
  {
    code: oneOf(Object.keys(MESSAGES) as ReasonCode[], { description: 'Why it is where it is.' }),
    message: Type.String({ description: 'The same, for people.' }),
    ahead: Type.Optional(
      Type.Integer({
        description: 'With `position`: how many jobs of its queue are started before it, as things are now.',
      }),
    ),
    isAtLeast: Type.Optional(
      Type.Boolean({ description: 'With `position`: whether there may be more; only so many are counted.' }),
    ),
    heldBy: Type.Optional(
      Type.Array(Type.String(), {
        description: 'With `concurrency_key_full`: the jobs that have the slots, 20 of them at most.',
      }),
    ),
    target: Type.Optional(Type.String({ description: 'With `breaker_open`: what it calls.' })),
    until: Type.Optional(
      time('With `scheduled` and `backoff`: when it is due. With `breaker_open`: when a job may try.'),
    ),
    error: Type.Optional(
      orNull(Type.Ref('JobError'), { description: 'With `backoff`: the error of the latest attempt.' }),
    ),
  },
  { title: 'WaitReason', additionalProperties: false, description: 'One reason why a job is where it is.' },
);

export const JobExplanation = Type.Object(
  {
    status: Type.String({ description: 'Where the job is, as the job itself shows it.' }),
    reasons: Type.Array(Reason, { description: 'Why; the hardest one first. All of them hold it up.' }),
    estimate: orNull(
      Type.Object(
        {
          startsInMs: Type.Integer({
            description: 'In how many milliseconds it starts, from how fast its queue drains.',
          }),
          p90Ms: Type.Integer({ description: 'Within how many it has started in nine of ten cases.' }),
        },
        { title: 'StartEstimate', additionalProperties: false },
      ),
      { description: 'When it starts; `null` where it has, or where that depends on somebody.' },
    ),
  },
  {
    title: 'JobExplanation',
    additionalProperties: false,
    description: 'Why a job has not been started yet.',
  },
);

export type ReasonView = Static<typeof Reason>;

export function reasonView(code: ReasonCode, more: Partial<ReasonView> = {}): ReasonView {
  return { code, message: MESSAGES[code], ...more };
}
