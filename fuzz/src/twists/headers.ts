import type { Draft } from '../request/draft.ts';
import type { Expected } from '../request/fuzz-request.ts';
import type { Twist } from './twist.ts';

/** One header more, and what must come of it. */
type OddHeader = readonly [name: string, text: string, expected?: Expected];

/** Of those that the document names, by what an operation has. */
const DOCUMENTED: Record<string, readonly string[]> = {
  'Idempotency-Key': [
    '',
    'k'.repeat(255),
    'k'.repeat(256),
    '"quoted"',
    '"unclosed',
    '""',
    '"a";b=1',
    '"a" "b"',
    ':YWJj:',
    '\u00E4',
    'a\tb',
    '__proto__',
  ],
  Prefer: [
    '',
    'wait',
    'wait=',
    'wait=-1',
    'wait=1.5',
    'wait=abc',
    'wait=99999999999999999999',
    'wait="1"',
    'wait=0, wait=1',
    'WAIT=0',
    ';;;,,,===',
    'return=minimal; a=b, respond-async',
    `${'a=1,'.repeat(500)}wait=0`,
    '__proto__=1, constructor=2',
    '\u00E4=\u00E4',
  ],
  'If-None-Match': [
    '',
    '*',
    '"',
    '"v1"',
    'W/"v1"',
    'v1',
    '"v1", "v2", W/"v3"',
    `${'"x", '.repeat(800)}"y"`,
    '\u00E4',
  ],
  traceparent: [
    '',
    '00-00000000000000000000000000000000-0000000000000000-00',
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01',
    '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more',
    'x'.repeat(5_000),
    '\u00E4',
  ],
  tracestate: ['', '=', 'a=1,a=2', `${'a=1,'.repeat(600)}b=2`, 'x'.repeat(5_000), '\u00E4=\u00E4', 'a=\t'],
  'X-Request-Id': ['', 'a b', 'x'.repeat(128), 'x'.repeat(129), "'; --", '\u00E4', '{{7*7}}'],
};

/** RFC 9110, section 10.1.1: an expectation that is not known is answered with 417. */
const UNMEETABLE: OddHeader = ['Expect', 'a-miracle', [417]];

/** Of those that any client or proxy may send. */
const ANYWHERE: readonly OddHeader[] = [
  UNMEETABLE,
  ['Expect', '100-continue'],
  ['X-Padding', 'x'.repeat(17_000), [431]],
  ['Accept', 'text/html'],
  ['Accept', 'text/html;q=0.1, application/json;q=0'],
  ['Accept', 'image/*'],
  ['Accept', ''],
  ['Accept', ';q=nonsense,,/'],
  ['Accept-Encoding', 'gzip, br;q=0'],
  ['Accept-Language', '*-*-*'],
  ['Range', 'bytes=0-0'],
  ['Range', 'bytes=9-1,nonsense'],
  ['If-Match', '"v0"'],
  ['If-Match', '*'],
  ['If-Modified-Since', 'nonsense'],
  ['If-Unmodified-Since', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Forwarded-For', '203.0.113.7, nonsense'],
  ['X-Forwarded-Proto', 'javascript'],
  ['Forwarded', 'for="_hidden";by=""'],
  ['Origin', 'null'],
  ['Origin', 'https://elsewhere.invalid'],
  ['Access-Control-Request-Method', 'DELETE'],
  ['Cookie', 'a=b; session=\u00E4; __proto__=1'],
  ['Connection', 'close'],
  ['Accept-Version', '1.x'],
  ['TE', 'trailers'],
  ['Upgrade-Insecure-Requests', '1'],
  ['Content-Type', 'application/json'],
  ['X-Empty', ''],
];

function add(draft: Draft, name: string, text: string): void {
  draft.headers = [
    ...draft.headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase()),
    [name, text],
  ];
}

const documented: Twist = {
  fits: ({ parameters }) => parameters.some(({ name }) => DOCUMENTED[name]),
  apply(draft, { draw, known }) {
    const names = draft.operation.parameters.map(({ name }) => name).filter((name) => DOCUMENTED[name]);
    const name = draw.pick(names);
    const etag = draw.pickEarly(known.of('etag')) ?? '"v0"';
    const odd = draw.pick([...(DOCUMENTED[name] ?? []), etag]);
    add(draft, name, odd);
    return { did: `${name}: ${odd.slice(0, 40)}`, expected: 'anything' };
  },
};

const documentedTwice: Twist = {
  fits: ({ parameters }) => parameters.some((one) => one.in === 'header'),
  apply(draft, { draw }) {
    const { name } = draw.pick(draft.operation.parameters.filter((one) => one.in === 'header'));
    draft.headers.push([name, 'one'], [name, 'two']);
    return { did: `${name} twice`, expected: 'anything' };
  },
};

const anywhere: Twist = {
  fits: () => true,
  apply: (draft, { draw }) => addOdd(draft, draw.pick(ANYWHERE)),
};

/** What is refused of any operation, before anything else of it is looked at. */
export const unmeetableExpectation: Twist = {
  fits: () => true,
  apply: (draft) => addOdd(draft, UNMEETABLE),
};

function addOdd(draft: Draft, [name, text, expected = 'anything']: OddHeader) {
  if (name === 'Content-Type') draft.contentType ??= text;
  else add(draft, name, text);
  return { did: `${name}: ${text.slice(0, 40)}`, expected };
}

export const HEADER_TWISTS: Twist[] = [documented, documented, documentedTwice, anywhere, anywhere];
