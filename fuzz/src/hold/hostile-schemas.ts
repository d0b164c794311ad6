import type { Draw } from '../generate/draw.ts';
import { list, numbered } from './shapes.ts';

/** A schema as the author of a handler may write it, and what is slowest to check by it. */
export interface HostileSchema {
  schema: object;
  /** Writes a payload of about so many bytes. */
  worst(bytes: number): string;
}

const MAX_DEPTH = 3;
/** More alternatives than that in all take the API seconds to compile. */
const MOST_ALTERNATIVES = 300;
const COUNTS = [2, 10, 50, 200];
/** What is repeated in lists may be small, so that there are many, or large. */
const ITEM_BYTES = [2, 20, 200, 5_000];

/** Parts of regular expressions, each with what it reads again and again. */
const ATOMS: readonly (readonly [pattern: string, text: string])[] = [
  ['(a|a)+', 'a'],
  ['(a+)+', 'a'],
  ['(a|b|ab)*', 'ab'],
  ['\\s*(.*)\\s*', ' '],
  ['.*.*=.*', '='],
  ['[a-z]+', 'a'],
  ['\\w+\\d*', '1'],
  ['(\\d+,?)*', '1'],
  ['a{1,20}', 'a'],
  ['(?:x?){30}', 'x'],
  ['(?=.*a)(?=.*b)', 'a'],
  ['([a-z]+\\.)+', 'a.'],
  ['\\p{L}*', 'é'],
];
const FORMATS = ['date-time', 'email', 'uri', 'ipv6', 'regex', 'json-pointer', 'duration', 'uri-template'];
const OF_FORMATS = ['1', ':', 'a.', '/', '%41', '@', '[', '{a}'];

/** Where in a schema it is made, and how many times what is made there may stand there in all. */
interface Where {
  depth: number;
  room: number;
}

type Make = (draw: Draw, where: Where) => HostileSchema;

const pattern: Make = (draw) => {
  const atoms = Array.from({ length: draw.pick([1, 1, 2, 3]) }, () => draw.pick(ATOMS));
  const anchored = draw.pick(['', '^']) + atoms.map(([text]) => text).join('') + draw.pick(['$', '', 'Z$']);
  const unit = draw.pick(atoms)[1];
  return {
    schema: { type: 'string', pattern: anchored },
    worst: (bytes) => JSON.stringify(`${unit.repeat(Math.max(1, bytes / unit.length))}!`),
  };
};

const format: Make = (draw) => {
  const unit = draw.pick(OF_FORMATS);
  return {
    schema: { type: 'string', format: draw.pick(FORMATS), minLength: 1 },
    worst: (bytes) => JSON.stringify(unit.repeat(Math.max(1, bytes / unit.length))),
  };
};

const listOf: Make = (draw, where) => {
  const item = make(draw, within(where, 1));
  const itemBytes = draw.pick(ITEM_BYTES);
  const bounds = draw.pick([{}, { uniqueItems: true }, { contains: { const: 'none' }, minContains: 0 }]);
  return {
    schema: { type: 'array', items: item.schema, ...bounds },
    worst: (bytes) => list(item.worst(Math.min(itemBytes, bytes)), bytes),
  };
};

const unique: Make = (draw) => {
  const write = draw.pick([
    (n: number) => `{"n":${n}}`,
    (n: number) => `[${n}]`,
    (n: number) => `"a${n}"`,
    (n: number) => `{"a":{"b":{"c":${n}}}}`,
  ]);
  const items = draw.pick([{}, { type: 'object' }, { type: ['string', 'object', 'array'] }, true]);
  return {
    schema: { type: 'array', uniqueItems: true, items },
    worst: (bytes) => `[${numbered(bytes, write)}]`,
  };
};

const choice: Make = (draw, { room }) => {
  const count = Math.min(draw.pick([10, 100, 1_000, 5_000]), 20 * room);
  const write = draw.pick([
    (n: number) => 'a'.repeat(20) + n,
    (n: number) => n,
    (n: number) => ({ kind: n, of: { a: [n] } }),
  ]);
  const values = Array.from({ length: count }, (_, n) => write(n));
  const last = draw.pick([values.at(-1), write(count)]);
  return { schema: { enum: values }, worst: () => JSON.stringify(last) };
};

const union: Make = (draw, where) => {
  const count = Math.min(draw.pick(COUNTS), where.room);
  const inner = make(draw, within(where, count));
  const branch = (n: number) => ({
    type: 'object',
    properties: { kind: { const: n }, value: inner.schema },
    required: ['kind'],
  });
  const branches = Array.from({ length: count }, (_, n) => branch(n));
  const kind = draw.pick([count - 1, count]);
  return {
    schema: { [draw.pick(['anyOf', 'oneOf'])]: branches },
    worst: (bytes) =>
      bytes < 40 ? `{"kind":${kind}}` : `{"kind":${kind},"value":${inner.worst(bytes - 20)}}`,
  };
};

const object: Make = (draw, where) => {
  const count = Math.min(draw.pick(COUNTS), where.room);
  const inner = make(draw, within(where, count));
  const names = Array.from({ length: count }, (_, n) => `field${n}`);
  const isClosed = draw.chance(0.5);
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, inner.schema])),
      ...(isClosed && { additionalProperties: false }),
    },
    worst: (bytes) => (bytes < 40 ? '{}' : `{"${names.at(-1)}":${inner.worst(bytes - 20)}}`),
  };
};

const namedByPattern: Make = (draw, where) => {
  const count = Math.min(draw.pick(COUNTS), where.room);
  const patterns = Array.from({ length: count }, (_, n) => `^${draw.pick(ATOMS)[0]}${n}$`);
  const inner = make(draw, within(where, count));
  const name = draw.pick(ATOMS)[1];
  return {
    schema: {
      type: 'object',
      patternProperties: Object.fromEntries(patterns.map((text) => [text, inner.schema])),
      ...draw.pick([{}, { propertyNames: { maxLength: 1_000 } }, { unevaluatedProperties: true }]),
    },
    worst: (bytes) => `{${numbered(bytes, (n) => `"${name.repeat(8)}${n}!":1`)}}`,
  };
};

const again: Make = (draw, where) => {
  const count = Math.min(draw.pick([2, 10, 50]), where.room);
  const inner = make(draw, within(where, count));
  const parts = Array.from({ length: count }, (_, n) => ({ ...inner.schema, $comment: String(n) }));
  const schema = draw.pick([
    { allOf: parts },
    { not: { allOf: [...parts, { const: 'none' }] } },
    Object.fromEntries(['if', 'then'].map((keyword) => [keyword, inner.schema])),
  ]);
  return { schema, worst: inner.worst };
};

/** Refers to the whole, so it is only made of that. */
const recursive: Make = (draw) => {
  const count = draw.pick([1, 2, 3]);
  const way = draw.pick(['anyOf', 'oneOf', 'allOf']);
  const levels = draw.pick([20, 60, 2_000]);
  const branches = Array.from({ length: count }, (_, n) => ({
    properties: { next: { $ref: '#' }, [`x${n}`]: false },
  }));
  const rest = draw.pick([{}, { required: ['next'] }]);
  return {
    schema: { type: 'object', ...(count === 1 ? branches[0] : { [way]: branches }), ...rest },
    worst: (bytes) => {
      const most = Math.min(levels, Math.floor(bytes / 10));
      return `${'{"next":'.repeat(most)}1${'}'.repeat(most)}`;
    },
  };
};

const LEAVES: readonly Make[] = [pattern, pattern, format, unique, choice];
const BRANCHES: readonly Make[] = [listOf, listOf, union, object, namedByPattern, again];

function within({ depth, room }: Where, times: number): Where {
  return { depth: depth + 1, room: Math.max(1, Math.floor(room / times)) };
}

function make(draw: Draw, where: Where): HostileSchema {
  return draw.pick(where.depth >= MAX_DEPTH ? LEAVES : [...LEAVES, ...BRANCHES])(draw, where);
}

/** Draws a schema; the same from the same draw. */
export function drawSchema(draw: Draw): HostileSchema {
  const where = { depth: 0, room: MOST_ALTERNATIVES };
  return draw.chance(0.15) ? recursive(draw, where) : make(draw, where);
}
