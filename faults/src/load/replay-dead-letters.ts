import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { publicId } from '@accepted/shared/core/job/id';
import type { World } from '../world/world.ts';
import type { Client } from './client.ts';

const LOOK_EVERY_MS = 1_000;
const AT_ONCE = 50;

/**
 * Repairs what most of the permanently failed jobs need, and replays their dead letters over HTTP, again and again until
 * told to stop; every fourth stays dead.
 */
export async function replayDeadLetters(world: World, client: Client, stop: AbortSignal): Promise<void> {
  const seen = new Set<string>();
  while (!stop.aborted) {
    for (const letter of await openLetters(world)) {
      if (seen.has(letter.id)) continue;
      seen.add(letter.id);
      if (seen.size % 4 === 0) continue;
      await writeFile(join(world.folder, 'repaired', publicId('job', letter.job_id)), '');
      await client.replay(publicId('deadLetter', letter.id));
    }
    await delay(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}

function openLetters({ ledger }: World) {
  return ledger.ask((db) =>
    db
      .selectFrom('dead_letters')
      .select(['id', 'job_id'])
      .where('type', '=', 'faults.permanent')
      .where('resolution', 'is', null)
      .orderBy('id', 'desc')
      .limit(AT_ONCE)
      .execute(),
  );
}
