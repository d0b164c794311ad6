const DATE = String.raw`(?<date>\d{4}-\d{2}-\d{2})`;
const TIME = String.raw`(?<time>(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?<fraction>\.\d+)?`;
const ZONE = String.raw`(?<zone>z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`;
const RFC_3339 = new RegExp(`^${DATE}t${TIME}${ZONE}$`, 'i');

/** A `Date` knows milliseconds; what is finer is cut off. */
const FRACTION_LENGTH = '.000'.length;

/**
 * Reads a time of a request (RFC 3339); `undefined` when there is no such time. Every time that a client sends is read
 * here. A leap second is refused: neither `Date` nor Postgres can hold one, and to give back another time is worse.
 */
export function parseTime(text: string): Date | undefined {
  const { date, time, fraction = '', zone } = RFC_3339.exec(text)?.groups ?? {};
  if (!date || !zone || !isOfCalendar(date)) return undefined;
  return new Date(`${date}T${time}${fraction.slice(0, FRACTION_LENGTH)}${zone.toUpperCase()}`);
}

/** `Date` takes the 30th of February for the 2nd of March. */
function isOfCalendar(date: string): boolean {
  const day = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
}
