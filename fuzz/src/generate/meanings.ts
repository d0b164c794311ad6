import fc from 'fast-check';
import type { SchemaObject } from '../document/schema.ts';
import type { Context } from './context.ts';

const DAY_MS = 86_400_000;
const RECEIVER_PATHS = ['/ok', '/ok?a=1', '/404', '/500', '/410'];

/** What the document says in words of fields by these names, and no schema can say. */
const BY_NAME = new Map<string, (context: Context) => unknown>([
  ['url', ({ draw, receiverUrl }) => receiverUrl + draw.pick(RECEIVER_PATHS)],
  ['runAt', ({ draw, now }) => later(now, draw.value(fc.integer({ min: 1_000, max: DAY_MS })))],
]);

/** Parameters whose value stands in a field of another name. */
const ELSEWHERE = new Map([
  ['cursor', 'nextCursor'],
  ['tag', 'tags'],
  ['createdAfter', 'createdAt'],
  ['createdBefore', 'createdAt'],
  ['If-None-Match', 'etag'],
]);

/** Fields of which there must be one and not the other; one of the first two always. */
const EITHER: [string, string][] = [
  ['filter', 'ids'],
  ['runAt', 'delayMs'],
];

/** Chooses between fields of which the document says in words that only one of them may be there; others are as they are. */
export function chooseFields(
  { draw }: Context,
  { properties = {} }: SchemaObject,
  isThere: (name: string) => boolean,
): (name: string) => boolean {
  const chosen = new Map<string, boolean>();
  for (const pair of EITHER) {
    const first = draw.chance(0.5);
    if (!pair.every((name) => Object.hasOwn(properties, name))) continue;
    const isNeeded = pair[0] === 'filter' || Object.keys(properties).length === pair.length;
    const isOne = isNeeded || pair.some(isThere);
    const [one, other] = pair;
    chosen.set(one, isOne && first).set(other, isOne && !first);
  }
  return (name) => chosen.get(name) ?? isThere(name);
}

/** A description that says `job_…` means an id with that prefix. */
const ID_PREFIX = /`([a-z]{3}_)…`/;

/** Where something is named: its field or parameter, and the word in the path before it, such as `queues`. */
export interface Place {
  name: string;
  collection?: string | undefined;
}

/** Draws a value by what it means rather than by what it looks like; `undefined` where that is not known. */
export function drawByMeaning(context: Context, schema: SchemaObject, place: Place): unknown {
  const meant = BY_NAME.get(place.name)?.(context);
  const known = knownValues(context, schema, place);
  const isKnown = context.draw.chance(0.9);
  const value = context.draw.pickEarly(known);
  return meant ?? (isKnown ? value : undefined);
}

function knownValues(
  { known }: Context,
  { description = '', type, pattern, format }: SchemaObject,
  place: Place,
): readonly string[] {
  const hasForm = pattern !== undefined || (format !== undefined && !ELSEWHERE.has(place.name));
  if (type !== 'string' || hasForm) return [];
  const prefix = ID_PREFIX.exec(description)?.[1];
  if (prefix !== undefined) return known.of(prefix);
  const inCollection = known.of(`${place.collection}.${place.name}`);
  return inCollection.length > 0 ? inCollection : known.of(ELSEWHERE.get(place.name) ?? place.name);
}

/** The prefix of the ids that a description speaks of, such as `job_`. */
export function idKindOf(description: string): string | undefined {
  return ID_PREFIX.exec(description)?.[1];
}

function later(now: Date, ms: number): string {
  return new Date(now.getTime() + ms).toISOString();
}
