import type { JobKind } from './kinds.ts';
import { makeTenant, untilInForce } from './world/operate.ts';
import type { World } from './world/world.ts';

/** From so many a second on, a rate is promised to hold within a tenth over all API processes. */
export const MOST_PER_SECOND = 20;
export const MOST_BACKLOG = 30;
/** How many clients of each tenant have a request under way or wait to come again: more than may be let in. */
const CLIENTS = 40;

const TENANTS = [
  { kind: 'rated', rules: { ratePerSecond: MOST_PER_SECOND } },
  { kind: 'crowded', rules: { maxBacklog: MOST_BACKLOG } },
] as const satisfies { kind: JobKind; rules: object }[];

export interface LimitedTenants {
  /** Has no more jobs come; resolves when those that were asked for are accepted. */
  stop(): Promise<void>;
}

/**
 * Has two tenants submit more than they may for as long as load and faults last, one more a second, the other more than it may have that
 * are not finished. Whoever is refused comes again under the same key.
 */
export async function startLimitedTenants(
  world: World,
  submit: (kind: JobKind, apiKey: string) => Promise<string>,
  deadline: AbortSignal,
): Promise<LimitedTenants> {
  const stopped = new AbortController();
  const over = AbortSignal.any([stopped.signal, deadline]);
  const tenants = await Promise.all(
    TENANTS.map(async ({ kind, rules }) => ({ kind, apiKey: await makeTenant(world, kind, rules) })),
  );
  await untilInForce();

  async function submitOn(kind: JobKind, apiKey: string): Promise<void> {
    while (!over.aborted) await submit(kind, apiKey);
  }

  const clients = tenants.flatMap(({ kind, apiKey }) =>
    Array.from({ length: CLIENTS }, () =>
      submitOn(kind, apiKey).catch((error: unknown) => {
        if (!deadline.aborted) throw error;
      }),
    ),
  );
  const ended = Promise.all(clients);
  ended.catch(() => undefined);
  return {
    async stop() {
      stopped.abort();
      await ended;
    },
  };
}
