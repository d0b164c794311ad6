import { AsyncLocalStorage } from 'node:async_hooks';
import type { RunningAttempt } from './running-attempts.ts';

/**
 * Follows an attempt into whatever its handler starts, such as timers and sockets, also after it has returned: so it is
 * known whose doing an exception is that nobody caught, or an exit.
 */
export const attemptScope = new AsyncLocalStorage<RunningAttempt>();
