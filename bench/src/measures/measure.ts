import type { Contender, ContenderName } from '../contenders/contender.ts';
import type { Session } from '../world/session.ts';
import type { Size } from './sizes.ts';

export type MeasureName = 'accept' | 'rates' | 'throughput' | 'latency' | 'pick-up' | 'worker' | 'webhooks';

/** What sets one row of a measure's table apart from the others of a contender; what is left out is as usual. */
export interface Variant {
  payloadBytes?: number;
  perSecond?: number;
  workers?: number;
  webhooks?: boolean;
}

/** What one measurement gave; each name ends in its unit. */
export type Figures = Readonly<Record<string, number>>;

/** One measurement: one contender in one round. */
export interface Sample {
  measure: MeasureName;
  contender: ContenderName;
  variant: Variant;
  round: number;
  figures: Figures;
}

/** Something that is measured of every contender it applies to, in a session of its own each round. */
export interface Measure {
  readonly name: MeasureName;
  readonly title: string;
  /** One or two sentences on what is measured, and how. */
  readonly explanation: string;
  /** The figure that ratios and the plot are about; larger is better but for times. */
  readonly mainFigure: string;
  appliesTo(contender: Contender): boolean;
  run(session: Session, size: Size): Promise<Pick<Sample, 'variant' | 'figures'>[]>;
}
