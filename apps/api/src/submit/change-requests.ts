import { type Static, Type } from 'typebox';
import { JobRequest } from './job-request.ts';

const { type: _type, payload, ...overridable } = JobRequest.properties;

/** The body of `POST /v1/jobs/{id}/copy`: what the copy has otherwise than the job. Its type is the same. */
export const CopyRequest = Type.Object(
  { payload: Type.Optional(payload), ...overridable },
  { additionalProperties: false, examples: [{ tags: ['again'], delayMs: 0 }] },
);

export type CopyRequest = Static<typeof CopyRequest>;

/** The body of `POST /v1/jobs/{id}/reschedule`: one of the two. */
export const RescheduleRequest = Type.Object(
  { runAt: overridable.runAt, delayMs: overridable.delayMs },
  { additionalProperties: false, examples: [{ delayMs: 60_000 }] },
);

export type RescheduleRequest = Static<typeof RescheduleRequest>;
