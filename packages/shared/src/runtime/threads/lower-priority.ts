import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * By so much nicer a thread gets about a quarter of a processor that another one wants, too (sched(7)). With 10, a tenth, what was to be
 * checked waited for a second where other processes wanted all of the processors.
 */
const NICER = 5;

/**
 * Has the thread that calls this give way to the other threads of its process. On Linux a thread has an id and a
 * priority of its own; elsewhere there is no such link, and nothing happens.
 */
export function lowerOwnPriority(): void {
  try {
    const threadId = Number(basename(readlinkSync('/proc/thread-self')));
    setPriority(threadId, Math.min(constants.priority.PRIORITY_LOW, getPriority(threadId) + NICER));
  } catch {
    // It serves as well without.
  }
}
