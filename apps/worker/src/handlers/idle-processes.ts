import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';

/** Handler processes that wait for their next attempt. */
export interface IdleProcesses {
  take(): ChildProcess | undefined;
  /** Takes one, or the next that is put back within `withinMs`; rejects when `signal` is aborted meanwhile. */
  takeSoon(withinMs: number, signal: AbortSignal): Promise<ChildProcess | undefined>;
  /** Keeps a process for later, unless it is gone or was killed because it cannot be used again. */
  put(child: ChildProcess): void;
}

/** Keeps processes for `idleMs` each; then they are ended. */
export function createIdleProcesses(idleMs: number): IdleProcesses {
  const idle = new Map<ChildProcess, NodeJS.Timeout>();
  const events = new EventEmitter<{ put: [] }>();

  function forget(child: ChildProcess): void {
    clearTimeout(idle.get(child));
    idle.delete(child);
  }

  function take(): ChildProcess | undefined {
    for (const child of idle.keys()) {
      forget(child);
      if (!isUsable(child)) continue;
      child.ref();
      child.channel?.ref();
      return child;
    }
    return undefined;
  }

  return {
    take,
    async takeSoon(withinMs, signal) {
      const tooLate = AbortSignal.timeout(withinMs);
      const either = AbortSignal.any([signal, tooLate]);
      for (;;) {
        const child = take();
        if (child || tooLate.aborted) return child;
        await once(events, 'put', { signal: either }).catch(() => signal.throwIfAborted());
      }
    },
    put(child) {
      if (!isUsable(child)) return;
      // Idle processes do not keep the worker alive; they end with it, as their channel closes.
      child.unref();
      child.channel?.unref();
      const end = () => {
        forget(child);
        child.kill('SIGKILL');
      };
      idle.set(child, setTimeout(end, idleMs).unref());
      events.emit('put');
    },
  };
}

/** The channel of a process that is gone may still look open: nobody would hear of its exit a second time. */
function isUsable({ connected, killed, exitCode, signalCode }: ChildProcess): boolean {
  return connected && !killed && exitCode === null && signalCode === null;
}
