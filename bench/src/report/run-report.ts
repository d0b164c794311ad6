import { ALL_CONTENDERS } from '../contenders/all-contenders.ts';
import type { ContenderName } from '../contenders/contender.ts';
import { ALL_MEASURES } from '../measures/all-measures.ts';
import type { MeasureName, Sample } from '../measures/measure.ts';
import { SIZES, type SizeName } from '../measures/sizes.ts';
import type { Part } from '../parts.ts';
import type { Machine } from '../world/machine.ts';
import type { Target } from './target.ts';

/** A measurement that could not be made. */
export interface Failure {
  what: MeasureName | Part['name'];
  contender?: ContenderName;
  round?: number;
  message: string;
}

/** What is known of a run when it is over; `report.json` in its folder is this. */
export interface RunReport {
  size: SizeName;
  rounds: number;
  /** What the run measured, as `nameCommit` writes it. */
  commit: string;
  command: string;
  startedAt: number;
  endedAt: number;
  machine: Machine;
  samples: Sample[];
  /** The parts that were run, each with a file of its own beside the report. */
  parts: Part['name'][];
  targets: Target[];
  failures: Failure[];
}

/** Says why a run is not fit to be published; empty when it is. */
export function whyIncomplete(report: RunReport, allParts: readonly Part[]): string[] {
  const { rounds, samples, parts } = report;
  const reasons = whyUnfit(report);
  if (rounds < SIZES.standard.rounds) reasons.push(`It has ${rounds} rounds of ${SIZES.standard.rounds}.`);
  for (const measure of ALL_MEASURES) {
    for (const contender of ALL_CONTENDERS.filter((each) => measure.appliesTo(each))) {
      const measured = samples.filter((it) => it.measure === measure.name && it.contender === contender.name);
      if (new Set(measured.map(({ round }) => round)).size < rounds)
        reasons.push(`It lacks rounds of ${measure.name} of ${contender.name}.`);
    }
  }
  for (const { name } of allParts) if (!parts.includes(name)) reasons.push(`It lacks ${name}.`);
  return reasons;
}

/** Says why the parts of a run are not fit to be published beside another run; empty when they are. */
export function whyNoParts(report: RunReport): string[] {
  const reasons = whyUnfit(report);
  if (report.parts.length === 0) reasons.push('It has none of the parts.');
  return reasons;
}

function whyUnfit({ size, failures }: RunReport): string[] {
  const reasons = failures.map(({ what, contender, message }) => `${what} of ${contender}: ${message}`);
  if (size !== 'standard') reasons.push(`It is a ${size} run.`);
  return reasons;
}
