import type { Database } from '@accepted/shared/ledger/connection/connect';
import type pg from 'pg';
import { measureTables, type TableSizes } from './measure-tables.ts';
import { type Mover, startMover } from './move-jobs.ts';

/** What is written once makes room after so many moves. */
const DRAIN_EVERY_MOVES = 2_000_000;
/** As many move at the same time as queues. */
const QUEUES = [
  { name: 'plain', hasKeys: false },
  { name: 'keyed', hasKeys: true },
];
const SAMPLE_EVERY_MS = 2_000;
const MINUTE_MS = 60_000;

/** How the tables stood, and what a turn took since the sample before. */
export interface SoakSample extends TableSizes {
  phase: 'moving' | 'snapshot held';
  atMinutes: number;
  /** Since the soak began. */
  moves: number;
  /** The median. */
  turnMs: number;
}

/** Moves jobs so often, and then on while a snapshot is held open; answers a sample every two seconds. */
export async function runSoak(
  db: Database,
  postgres: pg.Client,
  options: { moves: number; snapshotMinutes: number },
  onSample: (sample: SoakSample) => void,
): Promise<SoakSample[]> {
  const movers: Mover[] = [];
  for (const { name, hasKeys } of QUEUES) movers.push(await startMover(db, name, hasKeys));
  const samples: SoakSample[] = [];
  const beganAtMs = performance.now();
  let moves = 0;

  async function moveUntil(isOver: () => boolean, phase: SoakSample['phase']): Promise<void> {
    while (!isOver()) {
      const { turnMs, moved } = await moveForAWhile(movers, isOver);
      moves += moved;
      const atMinutes = (performance.now() - beganAtMs) / MINUTE_MS;
      const sample = { ...(await measureTables(postgres)), phase, atMinutes, moves, turnMs };
      samples.push(sample);
      onSample(sample);
    }
  }

  for (let until = 0; until < options.moves; ) {
    until = Math.min(options.moves, until + DRAIN_EVERY_MOVES);
    await moveUntil(() => moves >= until, 'moving');
    for (const mover of movers) await mover.drain();
    await postgres.query('TRUNCATE jobs, attempts');
  }
  await whileSnapshotIsHeld(postgres, async () => {
    const endsAtMs = performance.now() + options.snapshotMinutes * MINUTE_MS;
    await moveUntil(() => performance.now() >= endsAtMs, 'snapshot held');
  });
  return samples;
}

async function moveForAWhile(movers: readonly Mover[], isOver: () => boolean) {
  const endsAtMs = performance.now() + SAMPLE_EVERY_MS;
  const turns: number[] = [];
  let moved = 0;
  const move = async (mover: Mover) => {
    while (performance.now() < endsAtMs && !isOver()) {
      const step = await mover.step();
      turns.push(step.turnMs);
      moved += step.moves;
    }
  };
  await Promise.all(movers.map(move));
  turns.sort((one, other) => one - other);
  return { moved, turnMs: turns[Math.floor(turns.length / 2)] ?? 0 };
}

/** The tables can be measured from within the transaction: their sizes, and what the server counts, are of no snapshot. */
async function whileSnapshotIsHeld(holder: pg.Client, act: () => Promise<void>): Promise<void> {
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL stats_fetch_consistency = none');
  await holder.query('SELECT FROM ready LIMIT 1');
  await act();
  await holder.query('COMMIT');
}
