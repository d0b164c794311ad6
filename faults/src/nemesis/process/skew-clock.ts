import type { ControlAnswer } from '../../preload/kill-point.ts';
import type { Fault, FaultProof, Surroundings } from '../fault.ts';
import { hold, holdersOf, pickReady } from '../targets.ts';

const SKEW_MS = 600_000;
const TOLERANCE_MS = 5_000;

/**
 * Sets a worker's wall clock ten minutes ahead or back, as a wrong time server does, and sets it right again: that of the worker
 * which ends the leases of others.
 */
export const skewClock: Fault = {
  kind: 'worker-clock-skewed',
  async inject(surroundings) {
    // A job that kills its worker may have been quicker.
    return await skewOnce(surroundings).catch(() => skewOnce(surroundings));
  },
};

async function skewOnce({ world, random }: Surroundings): Promise<FaultProof> {
  const worker = await pickReady(await holdersOf(world, 'rescuer'), random);
  const shiftClockMs = random.pick([SKEW_MS, -SKEW_MS]);
  const { now } = (await worker.ask({ shiftClockMs })) as ControlAnswer;
  const isOffMs = now - Date.now();
  if (Math.abs(isOffMs - shiftClockMs) > TOLERANCE_MS) throw new Error(`its clock is off by ${isOffMs} ms`);
  await hold(random, 4_000, 6_000);
  await worker.ask({ shiftClockMs: 0 });
  return { target: worker.name, proof: `its clock was off by ${Math.round(isOffMs / 1_000)} s` };
}
