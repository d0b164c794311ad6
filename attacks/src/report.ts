import type { Measured } from './verdict.ts';

/** A whole run. */
export interface AttackReport {
  command: string;
  commit: string;
  date: string;
  measured: Measured[];
}
