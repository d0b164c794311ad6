const FIRST_MONDAY_MS = Date.UTC(1970, 0, 5);

export const WEEK_MS = 7 * 24 * 3_600_000;

/** Answers the Monday, 00:00 UTC, with which the week of a moment begins. */
export function weekStart(ms: number): number {
  return ms - ((ms - FIRST_MONDAY_MS) % WEEK_MS);
}

/**
 * Answers the bound between the UUIDv7s of a moment and all earlier ones: those made at `ms` or later are not below it
 * (RFC 9562, section 5.7: the first 48 bits are milliseconds since 1970).
 */
export function firstUuidOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** Reads back the moment whose bound this is, or at which a UUIDv7 was made. */
export function uuidTimeMs(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16);
}

/** Ids are made by other machines than the one that writes down when a row was made, and a little earlier. */
const MOST_APART_MS = 3_600_000;

/**
 * Answers between which UUIDv7s those of rows are that were made in a time: not below `from`, and below `before`. Only these need
 * be looked at, and some of them were made outside of it. Clocks may differ by an hour.
 */
export function uuidsMadeBetween(
  createdAfter?: Date,
  createdBefore?: Date,
): { from?: string; before?: string } {
  const bound = (ms: number) => firstUuidOf(Math.max(0, ms));
  return {
    ...(createdAfter && { from: bound(createdAfter.getTime() - MOST_APART_MS) }),
    ...(createdBefore && { before: bound(createdBefore.getTime() + MOST_APART_MS) }),
  };
}
