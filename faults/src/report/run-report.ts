import { checkEvidence } from '../checker/check-evidence.ts';
import type { Evidence } from '../checker/evidence.ts';
import type { Verdict } from '../checker/verdict.ts';
import type { FaultKind } from '../kinds.ts';
import type { RunFacts } from '../logs.ts';

/** A verdict as it is kept: of ten thousand violations the first ones say as much as all. */
export interface ReportedVerdict extends Omit<Verdict, 'violations'> {
  violationCount: number;
  violations: string[];
}

/** What is known of a run when it is over; `report.json` is this. */
export interface RunReport {
  run: RunFacts;
  green: boolean;
  verdicts: ReportedVerdict[];
  faultsByKind: Partial<Record<FaultKind, number>>;
}

const KEPT_VIOLATIONS = 50;

/** Checks a run and says what came of it; green is a run without any violation. */
export function makeReport(evidence: Evidence): RunReport {
  const verdicts = checkEvidence(evidence).map(({ violations, ...verdict }) => ({
    ...verdict,
    violationCount: violations.length,
    violations: violations.slice(0, KEPT_VIOLATIONS),
  }));
  const faultsByKind: RunReport['faultsByKind'] = {};
  for (const { kind, fired } of evidence.faults)
    if (fired) faultsByKind[kind] = (faultsByKind[kind] ?? 0) + 1;
  return {
    run: evidence.run,
    green: verdicts.every((verdict) => verdict.violationCount === 0),
    verdicts,
    faultsByKind,
  };
}

/** Reads one figure of a report. Throws when the checker has no such figure: a table must not show a guess. */
export function figure(report: RunReport, id: string, name: string): number {
  const value = report.verdicts.find((verdict) => verdict.id === id)?.figures[name];
  if (value === undefined) throw new Error(`The report has no figure "${name}" of ${id}.`);
  return value;
}
