import type { Api, Contender, ContenderName } from '../../contenders/contender.ts';
import { DRAIN_TIMEOUT_MS } from '../../measures/sizes.ts';
import { submitAndDrain } from '../../measures/submit-and-drain.ts';
import { JOB_TYPE } from '../../payload.ts';
import { watchDrain } from '../../world/drain.ts';
import { openSession, type Session } from '../../world/session.ts';
import { type JobKind, MIXED_PAYLOADS, MIXED_PRIORITIES, type Mix, zipfWeights } from '../load/mix.ts';
import { runFlood, soon } from '../load/run-flood.ts';
import type { PartOptions } from '../part.ts';
import { acceptedOverloaded, slotsOf } from '../world/accepted-overloaded.ts';
import { forgetAnswerTimes, readAnswerTimes } from '../world/answer-times.ts';
import { addTenant, layDown, type Tenant } from '../world/operate.ts';
import { giveFirstCore, leaveFirstCore, whyNoOwnCore } from '../world/own-core.ts';
import { withSlowCommits } from '../world/slow-commits.ts';
import { forgetStarts, readStarts } from '../world/starts.ts';
import { BOUND_SECONDS, type Bottleneck, saturate } from './bottleneck.ts';
import { measureCapacity } from './measure-capacity.ts';
import { type OfferedTimes, sumUp } from './offered.ts';
import { secondsToNormal } from './recovery.ts';

export interface Overloaded {
  contender: ContenderName;
  title: string;
  /** What can be done a second. */
  capacity: number;
  /** How many jobs may wait, where anything bounds it. */
  maxBacklog: number | null;
  /** For so long it was looked whether times are normal again. */
  probedSeconds: number;
  steps: OfferedTimes[];
}

/** Enough to run for some seconds, whatever it is that brings jobs to handlers. */
const WARM_UP_JOBS = 500;
const PROBES_PER_SECOND = 20;
/** No load has so many requests. */
const NUMBERS_A_LOAD = 10_000_000;

interface Rig {
  session: Session;
  bottleneck: Bottleneck;
  size: PartOptions['size']['bottleneck'];
  mix: Mix;
  capacity: number;
}

/** Offers a contender several times what can be done, each time on queues that have run empty. */
export async function measureBottleneck(
  { servers, size: { bottleneck: size }, say }: PartOptions,
  bottleneck: Bottleneck,
  contender: Contender,
): Promise<Overloaded> {
  const { slots, kinds, commitMs, clients, connections, hasOwnCore = false } = bottleneck;
  const isOurs = contender === acceptedOverloaded;
  await using pinned = hasOwnCore && !(await whyNoOwnCore()) ? await leaveFirstCore(servers) : undefined;
  await using session = await openSession(
    servers,
    commitMs === undefined ? contender : withSlowCommits(contender, commitMs),
  );
  if (pinned) await giveFirstCore(session.api.process);
  if (slots > 0) {
    await session.startWorkers(1, slotsOf(slots));
    await submitAndDrain(session, WARM_UP_JOBS);
  }
  const mix = isOurs ? await mixOfTenants(session.api, kinds, size.tenants) : plainMix(session.api, kinds);
  const load = saturate(bottleneck, size.capacitySeconds);
  const capacity = await measureCapacity(session, { mix, load, firstN: 0, clients, connections });
  const maxBacklog = isOurs && slots > 0 ? Math.round(capacity * BOUND_SECONDS) : null;
  if (maxBacklog !== null) await layDown(session.api, '/v1/queues/default', { maxBacklog });
  const prefix = `${bottleneck.name}, ${contender.title}`;
  say(`${prefix}: ${Math.round(capacity)} jobs/s`);
  const rig: Rig = { session, bottleneck, size, mix, capacity };
  const steps: OfferedTimes[] = [];
  for (const [index, times] of size.times.entries()) {
    const normal = isOurs && times > 1 ? steps[0] : undefined;
    const step = await offer(rig, times, (index + 1) * NUMBERS_A_LOAD, normal);
    steps.push(step);
    say(`${prefix}, ${times} ×: ${describeStep(step)}`);
  }
  const { name, title } = contender;
  return { contender: name, title, capacity, maxBacklog, probedSeconds: size.recoverySeconds, steps };
}

/** As it would be: large tenants and small ones, of all priorities, who ask for what they have submitted. */
async function mixOfTenants(api: Api, kinds: readonly JobKind[], count: number): Promise<Mix> {
  const senders: Tenant[] = [];
  for (const [place, weight] of zipfWeights(count).entries())
    senders.push(await addTenant(api, { name: `tenant ${place + 1}`, weight }));
  return { kinds, senders, payloads: MIXED_PAYLOADS, priorities: MIXED_PRIORITIES, pollShare: 0.5 };
}

/** Others know one type, and neither tenants nor priorities. */
function plainMix({ headers }: Api, kinds: readonly JobKind[]): Mix {
  const senders = [{ name: 'all', headers, weight: 1 }];
  return { kinds: kinds.map((kind) => ({ ...kind, type: JOB_TYPE })), senders, payloads: MIXED_PAYLOADS };
}

/** `normal`: what times are by which it is told how long they are otherwise after the load; nobody looks when left out. */
async function offer(
  { session, bottleneck, size, mix, capacity }: Rig,
  times: number,
  firstN: number,
  normal: OfferedTimes | undefined,
): Promise<OfferedTimes> {
  const { stores } = session;
  const { seconds, recoverySeconds } = size;
  const { clients, connections } = bottleneck;
  await forgetStarts(stores);
  await forgetAnswerTimes(stores);
  const startAt = soon();
  const endsAt = startAt + seconds * 1_000;
  const load = { perSecond: times * capacity, seconds };
  const flood = runFlood(session, { mix, clients, connections, startAt, firstN, load });
  const probes = normal && {
    ...{ mix, startAt: endsAt, firstN: firstN + NUMBERS_A_LOAD / 2 },
    load: { perSecond: PROBES_PER_SECOND, seconds: recoverySeconds },
  };
  const [flooded, probed] = await Promise.all([flood, probes && runFlood(session, probes)]);
  const drained = bottleneck.slots > 0 ? await watchDrain(session, DRAIN_TIMEOUT_MS) : undefined;
  const starts = drained && (await readStarts(stores));
  const answerTimes = (await readAnswerTimes(stores)).filter(({ at }) => at < endsAt);
  const step = sumUp({ times, seconds, capacity, flooded, starts, answerTimes });
  if (probed && normal)
    return { ...step, recoverySeconds: secondsToNormal(probed, starts, normal, recoverySeconds) };
  const doneAt = drained?.at(-1)?.at;
  return doneAt === undefined ? step : { ...step, drainSeconds: (doneAt - endsAt) / 1_000 };
}

function describeStep(step: OfferedTimes): string {
  const { accepted, refused, otherErrors, acceptP99Ms, startP99Ms = 0 } = step;
  const answers = `accepted ${accepted}, refused ${refused}, other ${otherErrors}`;
  return `${answers}, 202 p99 ${Math.round(acceptP99Ms)} ms, start p99 ${Math.round(startP99Ms)} ms`;
}
