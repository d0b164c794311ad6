import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTerminal, JOB_STATUSES, type JobEvent, type JobStatus, TRANSITIONS } from './status.ts';

const EVENTS = [...new Set(JOB_STATUSES.flatMap((status) => Object.keys(TRANSITIONS[status])))] as JobEvent[];

test('every status is reached, and every unfinished one leads to an end', () => {
  const reached = new Set(JOB_STATUSES.flatMap((status) => Object.values(TRANSITIONS[status])));
  expect([...reached].sort()).toEqual([...JOB_STATUSES].sort());
  for (const status of JOB_STATUSES) if (!isTerminal(status)) expect(canFinish(status)).toBe(true);
});

test('whatever happens, nothing but a replay leads out of a terminal status', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 60 }), (events) => {
      let status: JobStatus = 'scheduled';
      for (const event of events) {
        const next: JobStatus | undefined = TRANSITIONS[status][event];
        if (next !== undefined && isTerminal(status)) expect(event).toBe('replayed');
        status = next ?? status;
      }
    }),
  );
});

function canFinish(start: JobStatus): boolean {
  const seen = new Set<JobStatus>([start]);
  for (const status of seen) for (const next of Object.values(TRANSITIONS[status])) seen.add(next);
  return [...seen].some(isTerminal);
}
