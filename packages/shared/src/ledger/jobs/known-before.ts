import type { ChosenJobs } from '../../core/fairness/choose-jobs.ts';
import type { QueuePicture } from '../../core/fairness/queue-picture.ts';
import type { Database } from '../connection/connect.ts';
import { readFlightsSince } from './flights-since.ts';
import type { KnownBefore } from './take-jobs.ts';

/** What flew longest is looked for once in so many turns: those count what has left flight since then as well. */
const FLIGHTS_SINCE_EVERY_TURNS = 100;
/** No more keys than so many are told of. */
const MAX_TOLD_KEYS = 1_000;

/** Gathers what the dispatcher knows of these lines that the ledger would have to look for. */
export async function knownBefore(
  db: Database,
  picture: QueuePicture,
  chosen: ChosenJobs[],
): Promise<Required<KnownBefore>> {
  if (picture.limitedTurns % FLIGHTS_SINCE_EVERY_TURNS === 0)
    picture.flightsSince = await readFlightsSince(db, picture.flightsSince);
  picture.limitedTurns += 1;
  const { epoch, flightsSince, lines } = picture;
  const blockedKeys: Record<string, string[]> = {};
  let told = 0;
  for (const { tenantId, isKeyed } of chosen.map(({ line }) => line)) {
    if (!isKeyed || blockedKeys[tenantId]) continue;
    const keys = lines.blockedKeysOf(tenantId);
    if (told + keys.size > MAX_TOLD_KEYS) continue;
    told += keys.size;
    blockedKeys[tenantId] = [...keys.keys()];
  }
  return { epoch, flightsSince, blockedKeys };
}
