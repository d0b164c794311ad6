/** Names every status a job can have, in the order of a job's life. */
export const JOB_STATUSES = [
  'scheduled',
  'queued',
  'running',
  'retrying',
  'succeeded',
  'failed',
  'canceled',
  'expired',
] as const;

export type JobStatus = (typeof JOB_STATUSES)[number];

/** Names every event that can move a job from one status to another. */
export type JobEvent =
  | 'becameDue'
  | 'rescheduled'
  | 'claimed'
  | 'succeeded'
  | 'failedForNow'
  | 'failedForGood'
  | 'released'
  | 'held'
  | 'canceled'
  | 'expired'
  | 'replayed';

/**
 * Lists every legal transition, as data; a pair that is not here is illegal.
 *
 * `failed → queued` happens only by an audited replay of the job's dead letter. An attempt that ends hands the
 * job on from `running`: what became of a cancel request or a timeout is decided by `decideOutcome`. A job that was
 * started once expires no more, also when it is queued again. A job that is rescheduled to start at once becomes due.
 */
export const TRANSITIONS: Readonly<Record<JobStatus, Partial<Record<JobEvent, JobStatus>>>> = {
  scheduled: { becameDue: 'queued', rescheduled: 'scheduled', canceled: 'canceled', expired: 'expired' },
  queued: {
    claimed: 'running',
    held: 'scheduled',
    rescheduled: 'scheduled',
    canceled: 'canceled',
    expired: 'expired',
  },
  running: {
    succeeded: 'succeeded',
    failedForNow: 'retrying',
    failedForGood: 'failed',
    released: 'queued',
    held: 'retrying',
    canceled: 'canceled',
  },
  retrying: { becameDue: 'queued', rescheduled: 'retrying', canceled: 'canceled' },
  succeeded: {},
  failed: { replayed: 'queued' },
  canceled: {},
  expired: {},
};

export const TERMINAL_STATUSES = [
  'succeeded',
  'failed',
  'canceled',
  'expired',
] as const satisfies JobStatus[];

/** Tells whether a job in this status is finished; only a replay leads out of one. */
export function isTerminal(status: JobStatus): boolean {
  return (TERMINAL_STATUSES as readonly JobStatus[]).includes(status);
}
