import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { World } from './world.ts';

const run = promisify(execFile);
const EVERY_MS = 5_000;

/** Writes down how much memory each process has, again and again; answers the function that stops it. */
export function measureMemory(world: World): () => void {
  const nodes = [...world.apis, ...world.workers];
  const timer = setInterval(() => {
    const pids = new Map(nodes.filter(({ pid }) => pid > 0).map(({ pid, name }) => [pid, name]));
    // One that ended meanwhile is not listed, and `ps` fails when none is left.
    run('ps', ['-o', 'pid=,rss=', '-p', [...pids.keys()].join(',')])
      .then(({ stdout }) => note(world, pids, stdout))
      .catch(() => undefined);
  }, EVERY_MS);
  return () => clearInterval(timer);
}

function note(world: World, names: Map<number, string>, listed: string): void {
  for (const line of listed.trim().split('\n')) {
    const [pid = 0, kilobytes = 0] = line.trim().split(/\s+/).map(Number);
    const name = names.get(pid);
    if (name === undefined) continue;
    void world.journals.memory.write({ at: Date.now(), name, pid, rssBytes: kilobytes * 1_024 });
  }
}
