import { createSlowWorker, type Step, type Takes } from '@accepted/shared/core/overload/slow-worker';
import { type OwnPace, type Slowness, toldPace } from '@accepted/shared/core/overload/slowness';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import type { Beat, Heartbeat } from '@accepted/shared/ledger/workers/beat';
import { markSlow } from '@accepted/shared/ledger/workers/slow-workers';
import { type LoopDelay, overBoth, watchLoop } from '@accepted/shared/runtime/event-loop/loop-delay';
import type { Logger } from 'pino';
import type { HandlerTimes } from '../../path/handler-times.ts';
import type { Loop } from '../loop.ts';

/** Has this worker rest while it is far slower than others that can do its work. */
export interface Rest extends Pick<Loop, 'stop'> {
  /** Whether it takes no jobs, or a few: what others can do is left to them. */
  isOn(): boolean;
  /** What a heartbeat tells and asks for it. */
  tell(): Pick<Heartbeat, 'pace' | 'comparedTypes' | 'staysSlow'>;
  /** Judges this worker, which has that id now, by what its last heartbeat brought. */
  hear(brought: Beat, workerId: string): Promise<void>;
  /** Is told what to take from now on. */
  onChange(listener: (takes: Takes) => Promise<void>): void;
}

export function createRest(options: {
  /** That of the heartbeats. */
  db: Database;
  heartbeatMs: number;
  /** Of all queues. */
  times: () => Pick<HandlerTimes, 'usual' | 'forget' | 'isBusy'>[];
  logger: Logger;
}): Rest {
  const { db, heartbeatMs, times, logger } = options;
  const loop = watchLoop();
  const worker = createSlowWorker(heartbeatMs);
  const listeners: ((takes: Takes) => Promise<void>)[] = [];
  /** What was told and nothing was heard to: a machine that stood still may need some tries to be heard. */
  let delay: LoopDelay = { lateMs: 0, overMs: 0 };
  let own: OwnPace = { types: [], loopLateMs: 0 };

  /** Answers whether there is something else to take now. */
  async function mark(workerId: string, why: Slowness): Promise<boolean> {
    if (!(await markSlow(db, workerId, heartbeatMs))) return false;
    worker.marked(performance.now());
    logger.warn({ workerId, ...why }, 'this worker is far slower than others: it takes no jobs for a while');
    return true;
  }

  async function take(step: Step, workerId: string): Promise<void> {
    if (step.do === 'mark' && !(await mark(workerId, step.why))) return;
    if (step.do === 'try') for (const queue of times()) queue.forget();
    if (step.do === 'restOn') logger.debug({ workerId, ...step.why }, 'this worker is still slow');
    if (step.do === 'goBack') logger.info({ workerId, why: step.why }, 'this worker takes all jobs again');
    await Promise.all(listeners.map((listener) => listener(worker.takes())));
  }

  return {
    isOn: () => worker.takes() !== 'all',
    tell() {
      delay = overBoth(delay, loop.read());
      own = { types: times().flatMap((queue) => queue.usual()), loopLateMs: delay.lateMs };
      return {
        pace: toldPace(own),
        comparedTypes: worker.comparedTypes(own),
        staysSlow: worker.takes() !== 'all',
      };
    },
    async hear({ others, isSlow: isMarked }, workerId) {
      const isBusy = times().some((queue) => queue.isBusy());
      const heard = { own, overMs: delay.overMs, isBusy, others, isMarked };
      delay = { lateMs: 0, overMs: 0 };
      const step = worker.hear(heard, performance.now());
      if (step) await take(step, workerId);
    },
    onChange: (listener) => void listeners.push(listener),
    stop: async () => loop.stop(),
  };
}
