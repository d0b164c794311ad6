import type { BodyBounds } from './admission/body-admission.ts';
import type { WritingOptions } from './admission/writing.ts';
import type { PaceBounds } from './connections/keyless-pace.ts';
import type { UnreadBounds } from './connections/unread-replies.ts';
import type { TurnBounds } from './plugins/database.ts';

/** What clients can have of this process at once. */
export interface Bounds {
  keylessPace: PaceBounds;
  unreadReplies: UnreadBounds;
  bodies: BodyBounds;
  tenantConnections: TurnBounds;
  /** What the lookup of a key and the accept of a job may take together, so that a 503 comes within a second. */
  databaseBudgetMs: number;
  writing: Omit<WritingOptions, 'budgetMs'>;
}

const MIB = 2 ** 20;

/** What holds for every server; tests make it small enough to reach. */
export const BOUNDS: Bounds = {
  // What a page with all its documents takes, and what a line of a small office carries.
  keylessPace: { bytesPerSecond: 8 * MIB, burstBytes: 16 * MIB },
  unreadReplies: { stalledMs: 10_000, minBytesPerSecond: 16_384, maxBytes: 64 * MIB },
  // In memory each may be several times as large. A tenant may have 64 connections with 200 kB each.
  bodies: { maxBytes: 128 * MIB, maxBytesPerTenant: 16 * MIB },
  // A connection that comes later is no use to a caller who gets a 503 after 900 ms.
  tenantConnections: { maxWaitMs: 800 },
  databaseBudgetMs: 900,
  // A closed loop of 64 clients is never refused. Three batches of 250 are written at once, so who comes last waits for three answers.
  writing: { least: 100, most: 2_000 },
};
