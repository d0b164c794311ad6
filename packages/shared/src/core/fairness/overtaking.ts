import type { FlightGroup } from './flights.ts';

/** What a lane's engine has of a tenant: jobs that were put before those of others, and jobs that stand behind them. */
interface Standing {
  ahead: number;
  behind: number;
}

interface LaneStanding {
  tenants: Map<string, Standing>;
  /** How many more may go ahead before others have gone behind. */
  credit: number;
  /** Whose jobs came to the lane last, one window's worth, and how many of them are whose. */
  lately: { tenantIds: string[]; jobs: Map<string, number> };
}

/** To go before fewer jobs than these is not worth it. */
const LEAST_OVERTAKEN = 10;

/**
 * Says whose jobs go before those that wait in a lane already. The engine gives out what it has in the order in which it came, so
 * whoever has the lane's window full of jobs would keep a newcomer waiting for all of them, however small.
 *
 * Each has a part of the window by its weight. Where somebody has more of the window than half of its part, others that
 * have not go ahead with theirs: half, because that is what is left of a window when it is filled again. To a tenant's part counts
 * what came of it in the last window's worth of jobs, done or not: by what is left of it there alone, whoever went ahead would soon have
 * little again, and two tenants that have waited alike would take turns by the window. No more go ahead than behind, but for one window's worth, so what
 * stands behind moves at half the pace at least.
 */
export interface Overtaking {
  /**
   * Answers which of the jobs that go to a lane of this size go ahead, and counts all of them. Tenants that are not among `weights`
   * have 1.
   */
  begin<Job extends { tenantId: string }>(
    lane: { buildId: string; size: number; weights?: ReadonlyMap<string, number> },
    jobs: readonly Job[],
  ): Set<Job>;
  land(group: FlightGroup): void;
  /** Corrects what is known by what is in flight; what nobody knows of stands behind. */
  lookAnew(inFlight: readonly FlightGroup[]): void;
}

export function createOvertaking(): Overtaking {
  let lanes = new Map<string | null, LaneStanding>();

  function laneOf(buildId: string | null): LaneStanding {
    const lane = lanes.get(buildId) ?? {
      tenants: new Map<string, Standing>(),
      credit: 0,
      lately: { tenantIds: [], jobs: new Map<string, number>() },
    };
    lanes.set(buildId, lane);
    return lane;
  }

  return {
    begin({ buildId, size, weights }, jobs) {
      const lane = laneOf(buildId);
      const there = new Set([...lane.tenants.keys(), ...jobs.map(({ tenantId }) => tenantId)]);
      const weightOf = (tenantId: string) => weights?.get(tenantId) ?? 1;
      const allWeights = there.values().reduce((sum, tenantId) => sum + weightOf(tenantId), 0);
      const partOf = (tenantId: string) => Math.max(1, Math.floor((size * weightOf(tenantId)) / allWeights));
      const isLarge = (tenantId: string, { behind }: Standing) =>
        behind > Math.max(LEAST_OVERTAKEN, partOf(tenantId) / 2);
      const large = new Set(
        lane.tenants
          .entries()
          .flatMap(([tenantId, standing]) => (isLarge(tenantId, standing) ? [tenantId] : [])),
      );
      const mayOvertake = (tenantId: string) => large.size > 0 && !large.has(tenantId);
      const ahead = new Set<(typeof jobs)[number]>();
      for (const job of jobs) {
        const standing = standingOf(lane, job.tenantId);
        const latelyOrThere = Math.max(
          lane.lately.jobs.get(job.tenantId) ?? 0,
          standing.ahead + standing.behind,
        );
        const goesAhead = mayOvertake(job.tenantId) && latelyOrThere < partOf(job.tenantId);
        if (goesAhead && lane.credit > -size) {
          standing.ahead += 1;
          lane.credit -= 1;
          ahead.add(job);
        } else {
          standing.behind += 1;
          lane.credit = Math.min(0, lane.credit + 1);
        }
        count(lane.lately, job.tenantId);
      }
      forgetOldest(lane.lately, size);
      return ahead;
    },
    land({ tenantId, buildId, jobs }) {
      const lane = laneOf(buildId);
      const standing = standingOf(lane, tenantId);
      const ofAhead = Math.min(standing.ahead, jobs);
      standing.ahead -= ofAhead;
      standing.behind -= Math.min(standing.behind, jobs - ofAhead);
      if (standing.ahead + standing.behind === 0) lane.tenants.delete(tenantId);
    },
    lookAnew(inFlight) {
      const before = lanes;
      lanes = new Map();
      for (const { tenantId, buildId, jobs } of inFlight) {
        const known = before.get(buildId);
        const lane = laneOf(buildId);
        if (known) [lane.credit, lane.lately] = [known.credit, known.lately];
        standingOf(lane, tenantId).behind += jobs;
      }
      for (const [buildId, { tenants }] of lanes)
        for (const [tenantId, standing] of tenants) {
          const ahead = before.get(buildId)?.tenants.get(tenantId)?.ahead ?? 0;
          standing.ahead = Math.min(ahead, standing.behind);
          standing.behind -= standing.ahead;
        }
    },
  };
}

function standingOf({ tenants }: LaneStanding, tenantId: string): Standing {
  const standing = tenants.get(tenantId) ?? { ahead: 0, behind: 0 };
  tenants.set(tenantId, standing);
  return standing;
}

function count({ tenantIds, jobs }: LaneStanding['lately'], tenantId: string): void {
  tenantIds.push(tenantId);
  jobs.set(tenantId, (jobs.get(tenantId) ?? 0) + 1);
}

function forgetOldest({ tenantIds, jobs }: LaneStanding['lately'], size: number): void {
  for (const tenantId of tenantIds.splice(0, Math.max(0, tenantIds.length - size))) {
    const left = (jobs.get(tenantId) ?? 0) - 1;
    if (left > 0) jobs.set(tenantId, left);
    else jobs.delete(tenantId);
  }
}
