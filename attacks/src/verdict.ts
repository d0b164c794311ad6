import type { Latencies } from './quiet/measure.ts';
import { percentile } from './quiet/measure.ts';

/** What was measured of one attack, and which percentile counts. Memory is that of API and worker together, in bytes: without garbage before and after, with it at the most. */
export interface Measured {
  name: string;
  does: string;
  judged: number;
  alone: Latencies;
  attacked: Latencies;
  memory: { before: number; most: number; after: number };
  /** How often what the attack is about came about. */
  done: number;
  /** What the attacker got of it. */
  got: string;
}

/** The promise: whatever one does, another waits at most twice as long as alone, and what a machine's noise adds. */
const TIMES = 2;
const NOISE_MS = 20;
const REFUSED = 0;
const MAX_MORE_BYTES = 512 * 2 ** 20;
const MAX_LEFT_BYTES = 128 * 2 ** 20;
const MIB = 2 ** 20;

/** Lists how the promise was broken. Pure. */
export function judge(measured: Measured): string[] {
  return [...judgeTimes(measured), ...judgeBounds(measured)];
}

/** Lists where another waited too long. */
function judgeTimes({ judged, alone, attacked }: Measured): string[] {
  return (['requestMs', 'jobMs'] as const).flatMap((kind) => {
    const [usual, now] = [percentile(alone[kind], judged), percentile(attacked[kind], judged)];
    const most = TIMES * usual + NOISE_MS;
    if (now <= most) return [];
    const what = kind === 'requestMs' ? 'requests' : 'jobs';
    const times = `${now.toFixed(0)} ms (p${judged * 100}), alone ${usual.toFixed(0)}; ${most.toFixed(0)} may be`;
    return `B's ${what} took ${times}.`;
  });
}

/** Lists what else was not as it must be, however slow the machine is. */
export function judgeBounds({ attacked, memory, done }: Measured): string[] {
  const faults: string[] = [];
  if (done === 0) faults.push('The attack did nothing of what it is for.');
  if (attacked.refused > REFUSED) faults.push(`B was refused ${attacked.refused} times.`);
  const more = memory.most - memory.before;
  if (more > MAX_MORE_BYTES) faults.push(`It took ${Math.round(more / MIB)} MiB of memory.`);
  const left = memory.after - memory.before;
  if (left > MAX_LEFT_BYTES) faults.push(`${Math.round(left / MIB)} MiB did not come back.`);
  return faults;
}
