/** Jobs in flight that have all of this in common. */
export interface FlightGroup {
  tenantId: string;
  type: string;
  concurrencyKey: string | null;
  buildId: string | null;
  jobs: number;
}

/** Jobs that left flight: so many of them had been started, and ran for so long together. */
export interface Landing extends FlightGroup {
  started: number;
  ranMs: number;
}

/** How many jobs of a tenant are in flight through a lane: all, and those whose handlers are not known to be quick. */
export interface TenantFlights {
  all: number;
  slow: number;
}

/** Counts what is in flight of a queue, dispatched or running, and remembers what its tenants were charged for it. */
export interface Flights {
  begin(group: FlightGroup, chargedMs: number): void;
  /** Answers what was charged for the jobs. */
  land(group: FlightGroup): number;
  through(buildId: string): number;
  /** How many are in flight through a lane whose handlers are not known to be quick. */
  slowThrough(buildId: string, quickTypes: ReadonlySet<string>): number;
  all(): number;
  /** How many there are of each type that has any. */
  ofTypes(): Map<string, number>;
  of(tenantId: string, buildId: string, quickTypes: ReadonlySet<string>): TenantFlights;
  /** The most that a tenant has through a lane. */
  most(buildId: string, quickTypes: ReadonlySet<string>): TenantFlights;
  has(tenantId: string): boolean;
  groups(): FlightGroup[];
}

type Charged = FlightGroup & { chargedMs: number };

export function createFlights(): Flights {
  const byTenant = new Map<string, Map<string, Charged>>();
  const byBuild = new Map<string | null, Map<string, number>>();

  function change(group: FlightGroup, jobs: number, chargedMs: number): void {
    const { tenantId, type, concurrencyKey, buildId } = group;
    const ofBuild = byBuild.get(buildId) ?? new Map<string, number>();
    byBuild.set(buildId, ofBuild.set(type, (ofBuild.get(type) ?? 0) + jobs));
    const groups = byTenant.get(tenantId) ?? new Map<string, Charged>();
    byTenant.set(tenantId, groups);
    const key = keyOf(group);
    const known = groups.get(key) ?? { tenantId, type, concurrencyKey, buildId, jobs: 0, chargedMs: 0 };
    known.jobs += jobs;
    known.chargedMs += chargedMs;
    if (known.jobs !== 0) groups.set(key, known);
    else groups.delete(key);
    if (groups.size === 0) byTenant.delete(tenantId);
  }

  function through(buildId: string | null): number {
    return (
      byBuild
        .get(buildId)
        ?.values()
        .reduce((sum, jobs) => sum + jobs, 0) ?? 0
    );
  }

  function of(tenantId: string, buildId: string, quickTypes: ReadonlySet<string>): TenantFlights {
    const flights = { all: 0, slow: 0 };
    for (const group of byTenant.get(tenantId)?.values() ?? []) {
      if (group.buildId !== buildId) continue;
      flights.all += group.jobs;
      if (!quickTypes.has(group.type)) flights.slow += group.jobs;
    }
    return flights;
  }

  return {
    begin: (group, chargedMs) => change(group, group.jobs, chargedMs),
    land(group) {
      const known = byTenant.get(group.tenantId)?.get(keyOf(group));
      const chargedMs =
        known && known.jobs > 0 ? (known.chargedMs * Math.min(group.jobs, known.jobs)) / known.jobs : 0;
      change(group, -group.jobs, -chargedMs);
      return chargedMs;
    },
    through,
    slowThrough: (buildId, quickTypes) =>
      byBuild
        .get(buildId)
        ?.entries()
        .reduce((sum, [type, jobs]) => (quickTypes.has(type) ? sum : sum + jobs), 0) ?? 0,
    all: () => byBuild.keys().reduce((sum, buildId) => sum + through(buildId), 0),
    ofTypes: () => countTypes(byBuild.values()),
    of,
    most(buildId, quickTypes) {
      const most = { all: 0, slow: 0 };
      for (const tenantId of byTenant.keys()) {
        const { all, slow } = of(tenantId, buildId, quickTypes);
        most.all = Math.max(most.all, all);
        most.slow = Math.max(most.slow, slow);
      }
      return most;
    },
    has: (tenantId) => byTenant.has(tenantId),
    groups: () =>
      [...byTenant.values()].flatMap((groups) =>
        [...groups.values()].map(({ chargedMs: _, ...group }) => group),
      ),
  };
}

function keyOf({ type, concurrencyKey, buildId }: FlightGroup): string {
  return JSON.stringify([type, concurrencyKey, buildId]);
}

function countTypes(ofBuilds: Iterable<ReadonlyMap<string, number>>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const ofBuild of ofBuilds)
    for (const [type, jobs] of ofBuild) if (jobs > 0) counts.set(type, (counts.get(type) ?? 0) + jobs);
  return counts;
}
