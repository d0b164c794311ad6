import type { Operation, Parameter } from '../document/api-document.ts';
import { resolveSchema } from '../document/schema.ts';
import type { Context } from '../generate/context.ts';
import { edgeValues } from '../generate/edge-values.ts';
import { idKindOf } from '../generate/meanings.ts';
import { RawJson } from '../generate/raw-json.ts';
import type { Expected } from '../request/fuzz-request.ts';
import { breaksAsText } from './breaks-as-text.ts';
import type { Twist } from './twist.ts';

const of = ({ parameters }: Operation, place: Parameter['in']) =>
  parameters.filter((one) => one.in === place);

/** A value at the bounds of a query parameter, or beyond them. */
const queryEdge: Twist = {
  fits: (operation) => of(operation, 'query').length > 0,
  apply(draft, { draw, schemas }) {
    const { name, schema } = draw.pick(of(draft.operation, 'query'));
    const resolved = resolveSchema(schema, schemas);
    const texts = edgeValues(resolved, name).map((value) =>
      value instanceof RawJson ? value.text : typeof value === 'string' ? value : JSON.stringify(value),
    );
    // What is longer than a request may be is for another twist.
    const text = draw.pick(texts.filter((one) => one.length < 3_000));
    draft.query = [...draft.query.filter(([other]) => other !== name), [name, encodeURIComponent(text)]];
    return {
      did: `an edge value of ?${name}`,
      expected: breaksAsText(text, resolved) ? 'refused' : 'anything',
    };
  },
};

const queryTwice: Twist = {
  fits: (operation) => of(operation, 'query').length > 0,
  apply(draft, { draw }) {
    const { name } = draw.pick(of(draft.operation, 'query'));
    const [, text = '1'] = draft.query.find(([other]) => other === name) ?? [];
    draft.query = [...draft.query.filter(([other]) => other !== name), [name, text], [name, text]];
    return { did: `?${name} twice`, expected: 'refused' };
  },
};

/** Names and values as they go out: unknown ones, and such as are spelled strangely. */
const ODD_QUERIES: readonly [string, string][] = [
  ['extra', '1'],
  ['extra', '%00'],
  ['limit', '%00'],
  ['tag', '%E0%A4%A'],
  ['tag', '%ff%fe'],
  ['cursor', 'AAAAAAAAAAAAAAAAAAAAAAAA'],
  ['cursor', 'x'.repeat(101)],
  ['limit[]', '1'],
  ['limit[a]', '1'],
  ['__proto__', '1'],
  ['__proto__[admin]', 'true'],
  ['constructor', '1'],
  ['', ''],
  ['', '=&=&'],
  ['%20', '+'],
  ['extra', 'x'.repeat(8_000)],
];

const oddQuery: Twist = {
  fits: () => true,
  apply(draft, { draw }) {
    const [name, text] = draw.pick(ODD_QUERIES);
    draft.query.push([name, text]);
    return { did: `?${name}=${text.slice(0, 30)}`, expected: 'anything' };
  },
};

const manyQueries: Twist = {
  fits: () => true,
  apply(draft) {
    for (let n = 0; n < 1_000; n += 1) draft.query.push([`a${n}`, '1']);
    return { did: '1,000 parameters', expected: 'anything' };
  },
};

/** Of the form of an id, and nobody's. */
const NOBODYS = '01m80wvd14etfbnycmvzp2r688';

const ODD_IDS: readonly string[] = [
  'not-an-id',
  NOBODYS,
  `xxx_${NOBODYS}`,
  `job_${'z'.repeat(26)}`,
  `job_${'0'.repeat(26)}`,
  `job_${NOBODYS}%20`,
  `JOB_${NOBODYS.toUpperCase()}`,
  '%00',
  '%2e%2e',
  '..',
  '.',
  '..%2f..%2fetc%2fpasswd',
  '%2F',
  ';',
  "'%20OR%201=1",
  '%F0%9F%98%80',
  '%E0%A4%A',
  '%ff',
  '%',
  '*',
  ':id',
  '{id}',
  '__proto__',
  'x'.repeat(200),
  'x'.repeat(201),
  'x'.repeat(5_000),
  '',
  'a/b',
];

const oddPath: Twist = {
  fits: (operation) => of(operation, 'path').length > 0,
  apply(draft, { draw }) {
    const { name } = draw.pick(of(draft.operation, 'path'));
    const text = draw.pick(ODD_IDS);
    draft.path[name] = text;
    return { did: `{${name}} is "${text.slice(0, 30)}"`, expected: 'refused' };
  },
};

/** Not those who say that it is there: not even that is told of what is not the caller's. */
const notFound = ({ body }: Operation): Expected => (body ? [404, 422] : [404]);

const isOperators = ({ scope, orScope }: Operation) => scope === 'operator' || orScope === 'operator';

const strangersId: Twist = {
  fits: (operation) => idParameter(operation) !== undefined && !isOperators(operation),
  apply(draft, { draw, foreign }) {
    const { name = '', kind = '' } = idParameter(draft.operation) ?? {};
    draft.path[name] = draw.pickEarly(foreign.of(kind)) ?? `${kind}${NOBODYS}`;
    return { did: `{${name}} is another tenant's`, expected: notFound(draft.operation) };
  },
};

const nobodysId: Twist = {
  fits: (operation) => idParameter(operation) !== undefined,
  apply(draft) {
    const { name = '', kind = '' } = idParameter(draft.operation) ?? {};
    draft.path[name] = `${kind}${NOBODYS}`;
    return { did: `{${name}} is nobody's`, expected: notFound(draft.operation) };
  },
};

/** The id of something else that is there. */
const otherKindsId: Twist = {
  fits: (operation) => idParameter(operation) !== undefined,
  apply(draft, context) {
    const { name = '', kind = '' } = idParameter(draft.operation) ?? {};
    const kinds = ['job_', 'dlq_', 'rep_', 'key_', 'wrk_', 'ten_'].filter((other) => other !== kind);
    draft.path[name] = knownId(context, context.draw.pick(kinds));
    return { did: `{${name}} is of another kind`, expected: notFound(draft.operation) };
  },
};

function knownId({ draw, known }: Context, kind: string): string {
  return draw.pickEarly(known.of(kind)) ?? `${kind}${NOBODYS}`;
}

function idParameter(operation: Operation): { name: string; kind: string } | undefined {
  const ids = of(operation, 'path').map(({ name, description }) => ({ name, kind: idKindOf(description) }));
  return ids.find((one): one is { name: string; kind: string } => one.kind !== undefined);
}

export const QUERY_TWISTS: Twist[] = [queryEdge, queryEdge, queryTwice, oddQuery, oddQuery, manyQueries];
export const PATH_TWISTS: Twist[] = [oddPath, oddPath, strangersId, nobodysId, otherKindsId];
