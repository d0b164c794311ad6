import { edgeValues } from '../generate/edge-values.ts';
import { HOSTILE_NAMES, HOSTILE_VALUES } from '../generate/hostile-values.ts';
import { placesOf, type ValuePlace, withChange } from '../generate/places.ts';
import { drawValue } from '../generate/valid-value.ts';
import type { Draft } from '../request/draft.ts';
import type { Twist, TwistContext, Twisted } from './twist.ts';

// What must come of a changed body is for its schema to say: it is asked when the request is done.
const done = (did: string): Twisted => ({ did, expected: 'anything' });

const fits: Twist['fits'] = ({ body }) => body !== undefined;

/** A value at a bound, right beyond it, or of another type. */
const edge: Twist = {
  fits,
  apply(draft, context) {
    const place = pickPlace(draft, context);
    const value = context.draw.pick(edgeValues(place.schema, String(place.path.at(-1) ?? '')));
    change(draft, place, { to: value });
    return done(`an edge value at ${pointerTo(place.path)}`);
  },
};

/** A value that is JSON and yet trouble. */
const hostile: Twist = {
  fits,
  apply(draft, context) {
    const place = pickPlace(draft, context);
    change(draft, place, { to: context.draw.pick(HOSTILE_VALUES) });
    return done(`a hostile value at ${pointerTo(place.path)}`);
  },
};

/** A field is gone. */
const missing: Twist = {
  fits,
  apply(draft, context) {
    const fields = allPlaces(draft, context).filter(({ path }) => path.length > 0);
    const place = fields.length > 0 ? context.draw.pick(fields) : undefined;
    if (place) change(draft, place, 'remove');
    return done(place ? `without ${pointerTo(place.path)}` : 'nothing to leave out');
  },
};

/** A field is there that the schema does not name. */
const unknown: Twist = {
  fits,
  apply(draft, context) {
    const objects = allPlaces(draft, context).filter(({ value }) => isPlainObject(value));
    const name = context.draw.pick(HOSTILE_NAMES);
    const place = objects.length > 0 ? context.draw.pick(objects) : undefined;
    const value = context.draw.pick([null, 1, 'x', {}, { prototype: {} }]);
    if (place) change(draft, { path: [...place.path, name] }, { to: value });
    return done(place ? `an unknown field in ${pointerTo(place.path)}` : 'no object to add a field to');
  },
};

/** A right body where none is expected, or none where one is. */
const absent: Twist = {
  fits,
  apply(draft) {
    draft.body = undefined;
    draft.contentType = undefined;
    return done('without a body');
  },
};

export const BODY_VALUE_TWISTS: Twist[] = [edge, edge, hostile, hostile, missing, unknown, absent];

function allPlaces(draft: Draft, context: TwistContext): ValuePlace[] {
  const schema = draft.operation.body?.schema;
  // An operation whose body may be left out may have none yet.
  draft.body ??= { value: drawValue(context, schema, { name: '' }) };
  draft.contentType ??= 'application/json';
  return placesOf(draft.body.value, schema, context.schemas);
}

function pickPlace(draft: Draft, context: TwistContext): ValuePlace {
  return context.draw.pick(allPlaces(draft, context));
}

function change(
  draft: Draft,
  { path }: Pick<ValuePlace, 'path'>,
  to: Parameters<typeof withChange>[2],
): void {
  draft.body = { value: withChange(draft.body?.value, path, to) };
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function pointerTo(path: ValuePlace['path']): string {
  return path.length === 0 ? 'the top' : path.map((step) => `/${String(step).slice(0, 40)}`).join('');
}
