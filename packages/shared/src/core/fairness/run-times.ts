import { isQuick } from './tenant-share.ts';

/** What a job of a type that has not run yet is taken to need. */
const UNKNOWN_MS = 10;
/** To bring a job to a handler and back takes as long as this one, however quick the handler is. */
const LEAST_MS = 1;
/** So many jobs ago counts half. */
const HALF_LIFE_JOBS = 20;
const MOST_TENANTS = 10_000;

/** Jobs of a tenant and type that ended, and how long they ran together. */
export interface RanJobs {
  tenantId: string;
  type: string;
  jobs: number;
  ms: number;
}

/** How long jobs run as of late. */
export interface RunTimes {
  /** Answers the time that those jobs count for. */
  add(ran: RanJobs): number;
  /** The types whose jobs are quick, as far as any have run. */
  quickTypes(): string[];
  /** How long jobs have been running of late, in milliseconds: quick ones, and others; `undefined` before any has. */
  quickMs(): number | undefined;
  slowMs(): number | undefined;
  /** What a job is likely to count for, in milliseconds: as its tenant's of the type did, or else everybody's. */
  expected(job: Pick<RanJobs, 'tenantId' | 'type'>): number;
}

export function createRunTimes(): RunTimes {
  const ofTypes = new Map<string, number>();
  const ofTenants = new Map<string, number>();
  const ofAll = new Map<'quick' | 'slow', number>();
  const quickTypes = () => [...ofTypes].flatMap(([type, ms]) => (isQuick(ms) ? [type] : []));

  function follow<Name>(means: Map<Name, number>, key: Name, mean: number, jobs: number): void {
    const keeps = 0.5 ** (jobs / HALF_LIFE_JOBS);
    const followed = keeps * (means.get(key) ?? mean) + (1 - keeps) * mean;
    // Whoever was heard of last is last among the keys.
    means.delete(key);
    means.set(key, followed);
  }

  return {
    add({ tenantId, type, jobs, ms }) {
      if (jobs === 0) return 0;
      const counted = Math.max(ms, jobs * LEAST_MS);
      follow(ofTypes, type, counted / jobs, jobs);
      follow(ofAll, isQuick(ofTypes.get(type) ?? 0) ? 'quick' : 'slow', counted / jobs, jobs);
      follow(ofTenants, `${tenantId} ${type}`, counted / jobs, jobs);
      const [oldest] = ofTenants.keys();
      if (ofTenants.size > MOST_TENANTS && oldest !== undefined) ofTenants.delete(oldest);
      return counted;
    },
    quickTypes,
    quickMs: () => (quickTypes().length > 0 ? ofAll.get('quick') : undefined),
    slowMs: () => ofAll.get('slow'),
    expected: ({ tenantId, type }) => ofTenants.get(`${tenantId} ${type}`) ?? ofTypes.get(type) ?? UNKNOWN_MS,
  };
}
