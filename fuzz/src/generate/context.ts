import type { NamedSchemas } from '../document/schema.ts';
import type { Draw } from './draw.ts';
import type { Known } from './known.ts';

/** What values and requests are made with. */
export interface Context {
  draw: Draw;
  schemas: NamedSchemas;
  /** What the tenant of the requests was told of. */
  known: Known;
  /** What another tenant was told of. */
  foreign: Known;
  /** A URL on this machine that answers, for whatever the server calls. */
  receiverUrl: string;
  now: Date;
}
