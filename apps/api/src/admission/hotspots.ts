import { newUuid } from '@accepted/shared/core/job/id';
import { createHotNames, type HotName } from '@accepted/shared/core/overload/hot-names';
import { type Hotspots, readHotspots, tellHotspots } from '@accepted/shared/ledger/limits/hotspots';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    /** Notes that a job of a tenant came, whether or not there is room for it. */
    noteSubmitted(tenantId: string, concurrencyKey?: string): void;
    /** Reads which tenants and concurrency keys most comes for over all processes, the most first: ten of each at most. */
    readHotspots(): Promise<Hotspots>;
  }
}

const TELL_EVERY_MS = 5_000;
/** Of less than so many a second nobody is told. */
const TOLD_FROM = 0.1;
const SHOWN = { limit: 10, leastPerSecond: 1 };

/** Finds tenants and concurrency keys that much comes for, and tells the other processes of them every few seconds. */
export const hotspots = fp(async (app) => {
  const processId = newUuid();
  const tenants = createHotNames(performance.now());
  const keys = createHotNames(performance.now());
  let hasTold = false;
  let telling: Promise<void> | undefined;

  /** Where nothing comes, and nothing was told that is not so any more, there is nothing to tell. */
  async function tell(): Promise<void> {
    const nowMs = performance.now();
    const found = {
      tenants: tenants.rates(nowMs).filter(isTold).map(tenantOf),
      keys: keys.rates(nowMs).filter(isTold).map(keyOf),
    };
    const isAny = found.tenants.length > 0 || found.keys.length > 0;
    if (!isAny && !hasTold) return;
    await tellHotspots(app.db, processId, found);
    hasTold = isAny;
  }

  app.decorate('noteSubmitted', (tenantId, concurrencyKey) => {
    const nowMs = performance.now();
    tenants.note(tenantId, nowMs);
    if (concurrencyKey !== undefined) keys.note(`${tenantId} ${concurrencyKey}`, nowMs);
  });
  app.decorate('readHotspots', () => readHotspots(app.db, SHOWN));
  const timer = setInterval(() => {
    telling ??= tell()
      .catch((error: unknown) => app.log.debug({ err: error }, 'cannot tell of hot tenants and keys'))
      .finally(() => {
        telling = undefined;
      });
  }, TELL_EVERY_MS).unref();
  app.addHook('onClose', async () => {
    clearInterval(timer);
    await telling;
  });
});

const isTold = ({ perSecond }: HotName) => perSecond >= TOLD_FROM;

const tenantOf = ({ name, perSecond }: HotName) => ({ tenantId: name, perSecond });

/** The id of a tenant has no blank. */
function keyOf({ name, perSecond }: HotName) {
  const end = name.indexOf(' ');
  return { tenantId: name.slice(0, end), concurrencyKey: name.slice(end + 1), perSecond };
}
