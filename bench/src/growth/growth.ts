import { makePart } from '../report/make-part.ts';
import { type Table, writeFigure } from '../report/table.ts';
import {
  GROWTH_FIGURES,
  type GrowthFigure,
  type GrowthPart,
  type GrowthStage,
  type LedgerSize,
} from './growth-part.ts';
import { GROWTH_SIZES, measureGrowth } from './measure-growth.ts';

const MOST_WORSE_PERCENT = { p50: 10, others: 15 };
const FIGURES = Object.keys(GROWTH_FIGURES) as GrowthFigure[];

/** Whether a large ledger is slower than a small one. */
export const growth = makePart<GrowthPart>({
  name: 'growth',
  title: 'As the ledger grows',
  measure: (servers, size, say) => measureGrowth(servers, GROWTH_SIZES[size], say),
  tables: (part) => [
    {
      title: 'A grown ledger beside a small one',
      explanation: `Accepted on Redis, rounds: ${part.rounds}. A ledger that grows takes turns with one that stays at ${describe(part.reference)}. Each column has the median of the grown ledger, that of the small one in the same rounds, and by how much the grown one is worse (+) or better (−). The backlog is another queue than that of the jobs that are measured, but for the worker, who takes it. Ids are spread over four weeks, so that partitions are filled as in operation.${describeDisk(part)}`,
      table: tabulate(part),
    },
  ],
  plots: () => [],
  targets(part) {
    const last = part.stages.at(-1);
    if (!last) return [];
    return FIGURES.map((figure) => {
      const percent = last.figures[figure].worseBy * 100;
      return {
        name: `${GROWTH_FIGURES[figure]}, worse at ${describe(last)}`,
        measured: { median: percent, min: percent, max: percent },
        bound: figure.endsWith('P50Ms') ? MOST_WORSE_PERCENT.p50 : MOST_WORSE_PERCENT.others,
        wanted: 'at most',
        unit: '%',
      };
    });
  },
});

function tabulate({ stages }: GrowthPart): Table {
  return {
    header: ['', ...stages.map(describe)],
    rows: FIGURES.map((figure) => [
      GROWTH_FIGURES[figure],
      ...stages.map((stage) => describeChange(stage, figure)),
    ]),
  };
}

function describeChange({ figures }: GrowthStage, figure: GrowthFigure): string {
  const { grown, reference, worseBy } = figures[figure];
  const change = `${worseBy < 0 ? '−' : '+'}${Math.abs(Math.round(worseBy * 100))} %`;
  return `${writeFigure(grown.median)} beside ${writeFigure(reference.median)}, ${change}`;
}

function describe({ backlog, finished }: LedgerSize): string {
  const queued = `${backlog.toLocaleString('en-US')} queued`;
  return finished === 0 ? queued : `${queued}, ${finished.toLocaleString('en-US')} finished`;
}

function describeDisk({ bytesPerFinishedJob }: GrowthPart): string {
  if (bytesPerFinishedJob === null) return '';
  return ` A finished job takes ${writeFigure(bytesPerFinishedJob)} bytes on the disk, with its attempt and all indexes.`;
}
