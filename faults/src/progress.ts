import type { LoadProgress } from './load/run-load.ts';
import type { NemesisProgress } from './nemesis/run-nemesis.ts';
import type { World } from './world/world.ts';

interface Run {
  world: World;
  load: LoadProgress;
  nemesis: NemesisProgress;
  startedAt: number;
  jobs: number;
  faults: number;
}

/** Says in a line how far a run is; `counts` is left out where the ledger cannot be asked. */
export function describeProgress(run: Run, counts: { ended: number; open: number } | undefined): string {
  const { world, load, nemesis } = run;
  const seconds = Math.round((Date.now() - run.startedAt) / 1_000);
  const up = world.workers.filter((worker) => worker.isReady).length;
  const number = (value: number | undefined) => value?.toLocaleString('en') ?? '?';
  return [
    `${String(seconds).padStart(4)} s`,
    `acknowledged ${number(load.acknowledged)}/${number(run.jobs)}`,
    `done ${number(counts?.ended)}`,
    `open ${number(counts?.open)}`,
    `faults ${nemesis.fired}/${run.faults}`,
    `workers ${up}/${world.workers.length}`,
    ...(nemesis.now ? [`now: ${nemesis.now}`] : []),
  ].join('  ');
}
