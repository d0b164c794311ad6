import type { ChildProcess } from 'node:child_process';

/** Handler processes that wait for their next attempt. */
export interface IdleProcesses {
  take(): ChildProcess | undefined;
  /** Keeps a process for later, unless it is gone or was killed because it cannot be used again. */
  put(child: ChildProcess): void;
}

/** Keeps processes for `idleMs` each; then they are ended. */
export function createIdleProcesses(idleMs: number): IdleProcesses {
  const idle = new Map<ChildProcess, NodeJS.Timeout>();

  function forget(child: ChildProcess): void {
    clearTimeout(idle.get(child));
    idle.delete(child);
  }

  return {
    take() {
      for (const child of idle.keys()) {
        forget(child);
        if (!isUsable(child)) continue;
        child.ref();
        child.channel?.ref();
        return child;
      }
      return undefined;
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
    },
  };
}

function isUsable(child: ChildProcess): boolean {
  return child.connected && !child.killed;
}
