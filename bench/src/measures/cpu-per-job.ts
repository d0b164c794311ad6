import type { CpuUse } from '../world/cpu.ts';
import type { Figures } from './measure.ts';

/** Shares out processor time among jobs; empty where the system does not tell. */
export function perJob(cpu: CpuUse | undefined, jobs: number): Figures {
  if (!cpu) return {};
  return {
    apiCpuUs: cpu.apiUs / jobs,
    workersCpuUs: cpu.workersUs / jobs,
    postgresCpuUs: cpu.postgresUs / jobs,
    redisCpuUs: cpu.redisUs / jobs,
  };
}
