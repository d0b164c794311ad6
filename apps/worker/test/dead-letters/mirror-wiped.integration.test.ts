import { shelfName } from '@accepted/shared/engine/names';
import { waitUntil } from '@accepted/testing/wait-until';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MirrorRig, openMirrorRig } from './mirror-rig.ts';

let rig: MirrorRig;
let queue: string;
const entries = () => rig.engine.store.queue(shelfName(queue));
beforeEach(async () => {
  rig = await openMirrorRig('redis');
  queue = rig.useFreshQueue();
});
afterEach(async () => {
  await rig.stopMirrors();
  await rig.close();
});

test('a wiped Redis discards nothing: all its entries come back at once', async () => {
  // More than the slow comparison with the ledger could bring back in that time.
  const count = 450;
  const auditedBefore = await rig.db.selectFrom('audit_log').select('id').execute();
  await rig.dieTogether(count);
  rig.startMirror();
  const areShown = async () => (await entries().getFailedCount()) === count;
  await waitUntil(areShown, { until: 'all are shown', timeoutMs: 20_000 });

  await rig.redis?.kill();
  await rig.redis?.start();

  await waitUntil(areShown, { until: 'all are shown again', timeoutMs: 9_000 });
  expect(await rig.db.selectFrom('audit_log').select('id').execute()).toEqual(auditedBefore);
});

test('a wipe that is heard of while the ledger cannot be written is not forgotten', async () => {
  const count = 450;
  await rig.dieTogether(count);
  const warnings = watchWarnings();
  rig.startMirror(undefined, undefined, warnings.logger);
  const areShown = async () => (await entries().getFailedCount()) === count;
  await waitUntil(areShown, { until: 'all are shown', timeoutMs: 20_000 });

  const ledgerIsWritable = await failsWhileForgetting();
  await rig.redis?.kill();
  await rig.redis?.start();
  await warnings.until('refused by the test');
  await ledgerIsWritable();
  await waitUntil(areShown, { until: 'all are shown again', timeoutMs: 9_000 });
});

/** A logger whose warnings a test can wait for. */
function watchWarnings() {
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const until = (text: string) =>
    waitUntil(() => lines.some((line) => line.includes(text)), { until: `"${text}" is logged` });
  return { logger, until };
}

async function failsWhileForgetting(): Promise<() => Promise<void>> {
  await sql`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$`.execute(rig.db);
  await sql`CREATE TRIGGER refuse BEFORE UPDATE OF mirrored_at ON dead_letters
    FOR EACH ROW WHEN (NEW.mirrored_at IS NULL) EXECUTE FUNCTION refuse()`.execute(rig.db);
  return async () => {
    await sql`DROP FUNCTION refuse CASCADE`.execute(rig.db);
  };
}
