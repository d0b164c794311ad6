import { setTimeout as delay } from 'node:timers/promises';
import type { FaultKind } from '../kinds.ts';
import type { FaultLine } from '../logs.ts';
import type { Fault } from '../nemesis/fault.ts';
import { killApi } from '../nemesis/process/kill-api.ts';
import { killWorker } from '../nemesis/process/kill-worker.ts';
import { crashRedis } from '../nemesis/redis/crash.ts';
import { dropRedisClients } from '../nemesis/redis/drop-clients.ts';
import { fillRedis } from '../nemesis/redis/fill.ts';
import { flushRedis } from '../nemesis/redis/flush.ts';
import { loseRedis } from '../nemesis/redis/lose.ts';
import { sleepRedis } from '../nemesis/redis/sleep.ts';
import { hold, pickReady } from '../nemesis/targets.ts';
import { createRandom, type Random } from '../random.ts';
import type { World } from '../world/world.ts';
import type { ControlWorld } from './control-world.ts';

/** BullMQ's locks last for 30 s by default. */
const LOCK_MS = 30_000;

/** SIGSTOP of a worker until its locks have expired and its jobs are somebody else's. */
const zombie: Fault = {
  kind: 'worker-zombie',
  async inject({ world, random }) {
    const worker = await pickReady(world.workers, random);
    const { pid } = worker;
    worker.signal('SIGSTOP');
    try {
      const ms = await hold(random, LOCK_MS + 2_000, LOCK_MS + 6_000);
      return { target: worker.name, proof: `pid ${pid} was stopped for ${ms} ms` };
    } finally {
      worker.signal('SIGCONT');
    }
  },
};

/** Those that bare BullMQ can be hit by, about as often as Accepted is; a short run has the first ones. */
const MIX: Fault[] = [
  ...[flushRedis, killWorker, crashRedis, killWorker, killApi, killWorker, loseRedis],
  ...[killWorker, dropRedisClients, flushRedis, killWorker, sleepRedis, killApi, fillRedis],
];
/** They last longer than all others together, so they run beside them, one at a time. */
const ZOMBIE_SHARE = 0.05;

export interface ControlFaultOptions {
  world: ControlWorld;
  seed: number;
  faults: number;
  /** The faults are spread over this time. */
  seconds: number;
}

/** Injects the faults, and writes down which of them fired. */
export async function injectControlFaults(options: ControlFaultOptions): Promise<void> {
  const random = createRandom(options.seed);
  const zombies = Math.round(options.faults * ZOMBIE_SHARE);
  const planned = Array.from({ length: options.faults - zombies }, (_, n) => MIX[n % MIX.length] as Fault);
  await Promise.all([
    injectInTurn(options, random.shuffled(planned), random),
    injectInTurn(options, Array<Fault>(zombies).fill(zombie), random),
  ]);
}

async function injectInTurn(
  { world, seconds }: ControlFaultOptions,
  faults: Fault[],
  random: Random,
): Promise<void> {
  const startedAt = performance.now();
  for (const [index, fault] of faults.entries()) {
    const dueAt = startedAt + ((index + 0.5) / faults.length) * seconds * 1_000;
    await delay(Math.max(0, dueAt - performance.now()));
    await world.journals.faults.write(await inject(fault, world, random));
  }
}

async function inject(fault: Fault, control: ControlWorld, random: Random): Promise<FaultLine> {
  const at = Date.now();
  const { kind }: { kind: FaultKind } = fault;
  // The faults of the mix touch nothing that the control has not.
  const world = control as unknown as World;
  const submit = () => Promise.reject(new Error('the control takes no jobs from faults'));
  try {
    const { target, proof } = await fault.inject({ world, random, submit });
    return { at, kind, target, fired: true, firedProof: proof, endedAt: Date.now(), recoveredAt: null };
  } catch (error) {
    const firedProof = error instanceof Error ? error.message : String(error);
    return { at, kind, target: '', fired: false, firedProof, endedAt: Date.now(), recoveredAt: null };
  }
}
