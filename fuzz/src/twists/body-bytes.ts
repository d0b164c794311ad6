import type { Expected } from '../request/fuzz-request.ts';
import type { Twist, Twisted } from './twist.ts';

const hasBody: Twist['fits'] = ({ body }) => body !== undefined;

/** Ways to spoil the text of a body, or to spell it otherwise. */
const SPELLINGS: Record<string, (bytes: Buffer) => Buffer> = {
  'cut off': (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2)),
  'without its last byte': (bytes) => bytes.subarray(0, -1),
  empty: () => Buffer.alloc(0),
  'of blanks': () => Buffer.from(' \r\n\t'),
  'with another behind it': (bytes) => Buffer.concat([bytes, bytes]),
  'with a comma too many': (bytes) => Buffer.from(bytes.toString().replace(/\}$/, ',}')),
  'with a comment': (bytes) => Buffer.concat([Buffer.from('/* a */'), bytes]),
  'with a byte order mark': (bytes) => Buffer.concat([Buffer.from('\uFEFF'), bytes]),
  'in single quotes': (bytes) => Buffer.from(bytes.toString().replaceAll('"', "'")),
  'with NaN': (bytes) => Buffer.from(bytes.toString().replace(/:[^,}]*/, ':NaN')),
  'that is no UTF-8': (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([0xc3, 0x28, 0x7d])]),
  'in UTF-16': (bytes) => Buffer.from(bytes.toString(), 'utf16le'),
  'with a control character': (bytes) => Buffer.from(bytes.toString().replace('"', '"\u0001')),
  'with much blank space': (bytes) => Buffer.concat([Buffer.alloc(100_000, ' '), bytes]),
  'that is null': () => Buffer.from('null'),
  'that is text': () => Buffer.from('"text"'),
  'that is a list': (bytes) => Buffer.from(`[${bytes}]`),
};

const spelling: Twist = {
  fits: hasBody,
  apply(draft, { draw }) {
    const name = draw.pick(Object.keys(SPELLINGS));
    const rewrite = SPELLINGS[name];
    draft.body ??= { value: {} };
    draft.contentType ??= 'application/json';
    if (rewrite) draft.rewrite.push(rewrite);
    return { did: `a body ${name}`, expected: 'anything' };
  },
};

const UNSUPPORTED: Expected = [415];

const MEDIA_TYPES: readonly [string | undefined, Expected][] = [
  [undefined, UNSUPPORTED],
  ['text/plain', UNSUPPORTED],
  ['application/xml', UNSUPPORTED],
  ['application/x-www-form-urlencoded', UNSUPPORTED],
  ['multipart/form-data; boundary=x', UNSUPPORTED],
  ['application/merge-patch+json', UNSUPPORTED],
  ['application/json; charset=utf-16', UNSUPPORTED],
  ['application/json; charset=iso-8859-1', UNSUPPORTED],
  ['application/problem+json', UNSUPPORTED],
  ['nonsense', UNSUPPORTED],
  ['*/*', UNSUPPORTED],
  ['application/json, text/plain', 'anything'],
  ['application/json;', 'anything'],
  ['application/json; charset', 'anything'],
  ['application/json; charset="utf-8"; charset=utf-16', 'anything'],
  ['APPLICATION/JSON; CHARSET=UTF-8', 'anything'],
];

const mediaType: Twist = {
  fits: hasBody,
  apply(draft, { draw }) {
    const [type, expected] = draw.pick(MEDIA_TYPES);
    draft.body ??= { value: {} };
    draft.contentType = type;
    return { did: `Content-Type ${type ?? 'left out'}`, expected };
  },
};

const encoding: Twist = {
  fits: hasBody,
  apply(draft, { draw }) {
    const name = draw.pick(['gzip', 'br', 'deflate', 'identity', 'nonsense']);
    draft.body ??= { value: {} };
    draft.contentType ??= 'application/json';
    draft.headers.push(['Content-Encoding', name]);
    return { did: `Content-Encoding ${name}`, expected: name === 'identity' ? 'anything' : UNSUPPORTED };
  },
};

/** What the server takes when nothing else is set. */
const MAX_BODY_BYTES = 1_048_576;

const size: Twist = {
  fits: hasBody,
  apply(draft, { draw }) {
    const isTooLarge = draw.chance(0.7);
    const length = MAX_BODY_BYTES + (isTooLarge ? 1 : 0);
    draft.body ??= { value: {} };
    draft.contentType ??= 'application/json';
    draft.rewrite.push((bytes) =>
      Buffer.concat([bytes, Buffer.alloc(Math.max(0, length - bytes.length), ' ')]),
    );
    return { did: `a body of ${length} bytes`, expected: isTooLarge ? [413] : 'anything' };
  },
};

/** A body for an operation that has none. */
const needless: Twist = {
  fits: ({ body }) => body === undefined,
  apply(draft, { draw }): Twisted {
    draft.body = { value: draw.pick([{}, { extra: 1 }, 'text', null, []]) };
    draft.contentType = draw.pick(['application/json', 'application/json', 'text/plain', undefined]);
    if (draw.chance(0.3)) draft.rewrite.push(() => Buffer.from('{'));
    if (draw.chance(0.1)) draft.rewrite.push(() => Buffer.from('['.repeat(70) + ']'.repeat(70)));
    if (draw.chance(0.05)) draft.rewrite.push(() => Buffer.alloc(MAX_BODY_BYTES + 1, ' '));
    return { did: `a needless body of ${draft.contentType ?? 'no type'}`, expected: 'anything' };
  },
};

export const BODY_BYTE_TWISTS: Twist[] = [spelling, spelling, spelling, mediaType, encoding, size, needless];
