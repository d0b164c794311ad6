import type { Machine } from '../../world/machine.ts';
import type { OverloadPart, PartFindings, PartName } from '../part.ts';
import type { OverloadSizeName } from '../sizes.ts';

/** A part as it is kept: its pictures lie beside the report. */
export interface ReportedPart
  extends Pick<OverloadPart, 'name' | 'title' | 'explanation'>,
    Omit<PartFindings, 'plots'> {
  plots: { title: string; file: string }[];
}

/** What is known of a run when it is over; `overload.json` in its folder is this. */
export interface OverloadReport {
  size: OverloadSizeName;
  /** What the run measured, as `nameCommit` writes it. */
  commit: string;
  command: string;
  startedAt: number;
  endedAt: number;
  machine: Machine;
  parts: ReportedPart[];
  failures: { part: PartName; message: string }[];
}
