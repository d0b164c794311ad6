import type { Table } from '../report/table.ts';
import type { Target } from '../report/target.ts';
import type { Servers } from '../world/servers.ts';
import type { OverloadSize } from './sizes.ts';

export type PartName =
  | 'workers'
  | 'processor'
  | 'postgres'
  | 'retries'
  | 'priorities'
  | 'hog'
  | 'deadlines'
  | 'slow-dependency'
  | 'failing-receiver'
  | 'predictions';

export interface PartOptions {
  servers: Servers;
  size: OverloadSize;
  /** Whether what one would write instead is measured as well, where it can be. */
  withOthers: boolean;
  /** Shows a line about how far it is. */
  say: (line: string) => void;
}

/** What came of a part; all but the pictures is kept in the report. */
export interface PartFindings {
  /** What was promised, and what was measured. */
  goals: Target[];
  /** What has to be known beside the figures, a sentence each. */
  notes?: string[];
  tables: { title: string; table: Table }[];
  /** What each shows in some words, and the SVG. */
  plots: { title: string; svg: string }[];
  /** All that was measured, for whoever looks closer. */
  figures: unknown;
}

/** A kind of overload that is made and measured by itself, on an installation of its own. */
export interface OverloadPart {
  readonly name: PartName;
  readonly title: string;
  /** What is done, and how it is measured, in some sentences. */
  readonly explanation: string;
  run(options: PartOptions): Promise<PartFindings>;
}
