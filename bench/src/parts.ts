import { cost } from './cost/cost.ts';
import { growth } from './growth/growth.ts';
import { memory } from './growth/memory.ts';
import type { SizeName } from './measures/sizes.ts';
import type { Target } from './report/target.ts';
import { turns } from './turns/turns.ts';

export interface PartOptions {
  size: SizeName;
  /** Gets `<name>.json` and the plots, `<name>*.svg`. */
  folder: string;
  /** Shows a line about how far it is. */
  say: (line: string) => void;
}

/** A measurement that stands on its own beside the contenders' rounds: it is run, kept and shown as a whole. */
export interface Part {
  readonly name: 'cost' | 'turns' | 'growth' | 'memory';
  readonly title: string;
  /** Measures, and writes `<name>.json` and its plots into the folder. */
  run(options: PartOptions): Promise<void>;
  /** Writes what `<name>.json` in the folder says in Markdown, with its plots as `performance/<name>*.svg`. */
  render(folder: string): Promise<string>;
  /** The same for a terminal. */
  renderText(folder: string): Promise<string>;
  /** What was to be reached, as far as it is measured here. */
  targets(folder: string): Promise<Target[]>;
}

/** In the order in which they are run and shown, after the contenders' measures. */
export const ALL_PARTS: readonly Part[] = [cost, turns, growth, memory];
