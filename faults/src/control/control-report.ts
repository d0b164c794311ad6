import type { FaultKind } from '../kinds.ts';
import type { RunFacts } from '../logs.ts';
import type { ControlFigures } from './check-control.ts';

/** What came of a run of the control; `report.json` in its folder is this. */
export interface ControlReport {
  run: Pick<RunFacts, 'seed' | 'startedAt' | 'endedAt' | 'command' | 'commit'>;
  figures: ControlFigures;
  faultsByKind: Partial<Record<FaultKind, number>>;
  /** Faults that could not be shown to have fired, each with the reason. */
  notFired: string[];
  traits: { kill9: number; wipes: number; zombies: number };
}
