import { spreadOf } from '../statistics/spread.ts';
import type { Servers } from '../world/servers.ts';
import { ledgerBytes } from './fill-ledger.ts';
import {
  compare,
  GROWTH_FIGURES,
  type GrowthFigure,
  type GrowthFigures,
  type GrowthPart,
  type GrowthStage,
  type LedgerSize,
} from './growth-part.ts';
import { type LedgerWorld, openLedgerWorld } from './ledger-world.ts';
import { type LedgerMeasures, measureLedger } from './measure-ledger.ts';

/** How far a ledger is grown, and how much is measured of it. */
export interface GrowthSize extends LedgerMeasures {
  rounds: number;
  reference: LedgerSize;
  stages: readonly LedgerSize[];
}

export const GROWTH_SIZES = {
  quick: {
    rounds: 1,
    reference: { backlog: 500, finished: 0 },
    stages: [{ backlog: 2_000, finished: 2_000 }],
    acceptSeconds: 1,
    workerJobs: 500,
    latencySeconds: 1,
    pickUps: 5,
    reads: 20,
  },
  small: {
    rounds: 1,
    reference: { backlog: 1_000, finished: 0 },
    stages: [
      { backlog: 10_000, finished: 0 },
      { backlog: 100_000, finished: 100_000 },
    ],
    acceptSeconds: 2,
    workerJobs: 4_000,
    latencySeconds: 2,
    pickUps: 50,
    reads: 200,
  },
  standard: {
    rounds: 3,
    reference: { backlog: 1_000, finished: 0 },
    stages: [
      { backlog: 100_000, finished: 0 },
      { backlog: 1_000_000, finished: 0 },
      { backlog: 1_000_000, finished: 10_000_000 },
    ],
    acceptSeconds: 2,
    workerJobs: 6_000,
    latencySeconds: 2,
    pickUps: 60,
    reads: 300,
  },
} as const satisfies Record<string, GrowthSize>;

/** Grows a ledger stage by stage, and measures it beside a small one in rounds that take turns. */
export async function measureGrowth(
  servers: Servers,
  size: GrowthSize,
  onProgress: (line: string) => void,
): Promise<GrowthPart> {
  await using reference = await openLedgerWorld(servers, 1, onProgress);
  await using grown = await openLedgerWorld(servers, 2, onProgress);
  await reference.grow(size.reference);
  const stages: GrowthStage[] = [];
  let bytesPerFinishedJob: number | null = null;
  for (const stage of size.stages) {
    onProgress(`growth: ${stage.backlog} queued and ${stage.finished} finished jobs`);
    bytesPerFinishedJob = (await growAndWeigh(grown, stage)) ?? bytesPerFinishedJob;
    stages.push({ ...stage, figures: await measureStage(reference, grown, size, onProgress) });
  }
  return { rounds: size.rounds, reference: size.reference, stages, bytesPerFinishedJob };
}

/** Answers what each finished job has added to the ledger, if jobs of that kind alone were added. */
async function growAndWeigh(world: LedgerWorld, stage: LedgerSize): Promise<number | undefined> {
  await world.grow({ ...world.size, backlog: stage.backlog });
  const added = stage.finished - world.size.finished;
  if (added === 0) return undefined;
  const before = await ledgerBytes(world.stores.postgres);
  await world.grow(stage);
  return ((await ledgerBytes(world.stores.postgres)) - before) / added;
}

async function measureStage(
  reference: LedgerWorld,
  grown: LedgerWorld,
  size: GrowthSize,
  onProgress: (line: string) => void,
): Promise<GrowthStage['figures']> {
  const rounds: { reference: GrowthFigures; grown: GrowthFigures }[] = [];
  for (let round = 1; round <= size.rounds; round += 1) {
    onProgress(`growth: round ${round} of ${size.rounds}`);
    // Who comes first changes, as what the one leaves to do in the background may meet the other.
    const first = round % 2 === 1 ? await measureLedger(reference, size) : undefined;
    const ofGrown = await measureLedger(grown, size);
    rounds.push({ reference: first ?? (await measureLedger(reference, size)), grown: ofGrown });
  }
  const compareRounds = (figure: GrowthFigure) =>
    compare(
      figure,
      spreadOf(rounds.map((round) => round.reference[figure])),
      spreadOf(rounds.map((round) => round.grown[figure])),
    );
  const figures = Object.keys(GROWTH_FIGURES) as GrowthFigure[];
  return Object.fromEntries(
    figures.map((figure) => [figure, compareRounds(figure)]),
  ) as GrowthStage['figures'];
}
