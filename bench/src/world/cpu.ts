import { readdir, readFile } from 'node:fs/promises';
import type { Session } from './session.ts';

/** Processor time in microseconds, by what spent it. */
export interface CpuUse {
  apiUs: number;
  workersUs: number;
  postgresUs: number;
  redisUs: number;
}

/** The kernel counts for user space in hundredths of a second, whatever its own clock (USER_HZ). */
const US_PER_TICK = 10_000;

/** Starts to count; the function that it answers tells what was spent since. Only Linux says so: elsewhere `undefined`. */
export async function startCpuCount(session: Session): Promise<() => Promise<CpuUse | undefined>> {
  const before = await readCpu(session);
  return async () => {
    const after = await readCpu(session);
    if (!before || !after) return undefined;
    return {
      apiUs: after.apiUs - before.apiUs,
      workersUs: after.workersUs - before.workersUs,
      postgresUs: after.postgresUs - before.postgresUs,
      redisUs: after.redisUs - before.redisUs,
    };
  };
}

async function readCpu({ api, workers, servers }: Session): Promise<CpuUse | undefined> {
  if (process.platform !== 'linux') return undefined;
  const workersUs = await Promise.all(workers.map((worker) => readProcess(worker.pid)));
  return {
    apiUs: await readProcess(api.process.pid),
    workersUs: workersUs.reduce((sum, us) => sum + us, 0),
    postgresUs: await readTree(servers.postgres.pid),
    redisUs: await readProcess(servers.redis.pid),
  };
}

/** A server process of Postgres that has ended is counted with its parent, which has waited for it. */
async function readTree(parent: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map((pid) => readStat(pid).catch(() => undefined)));
  const children = stats.filter((stat) => stat?.parent === parent);
  const ownUs = await readProcess(parent);
  return children.reduce((sum, stat) => sum + (stat?.us ?? 0), ownUs);
}

async function readProcess(pid: number): Promise<number> {
  return (await readStat(pid)).us;
}

async function readStat(pid: number): Promise<{ parent: number; us: number }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may have spaces. Behind it: state, parent, ..., and from field 14 on utime, stime, cutime,
  // cstime; see proc_pid_stat(5).
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
  return { parent: fields[1] ?? 0, us: ticks * US_PER_TICK };
}
