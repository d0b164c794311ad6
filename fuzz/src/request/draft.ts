import type { Operation, Parameter } from '../document/api-document.ts';
import type { Context } from '../generate/context.ts';
import { drawByMeaning } from '../generate/meanings.ts';
import { drawValue } from '../generate/valid-value.ts';
import type { KeyName } from './fuzz-request.ts';

/** A request while it is made up: right at first, then twisted. */
export interface Draft {
  operation: Operation;
  method: string;
  /** By name, encoded as they go out. */
  path: Record<string, string>;
  /** Encoded as they go out; a name may be there twice. */
  query: [string, string][];
  headers: [string, string][];
  contentType: string | undefined;
  key: KeyName;
  /** The value of the body; absent where none is sent. */
  body: { value: unknown } | undefined;
  /** Made of the body's text, one after the other. */
  rewrite: ((bytes: Buffer) => Buffer)[];
}

const SHARE_OF_PARAMETERS = [0, 0.2, 0.5];
const SHARE_OF_BODIES = 0.8;

/** Makes a request that is right by the document, as far as schemas say what is. */
export function draftRequest(context: Context, operation: Operation): Draft {
  const share = context.draw.pick(SHARE_OF_PARAMETERS);
  const query: [string, string][] = [];
  const headers: [string, string][] = [];
  const path: Record<string, string> = {};
  for (const parameter of operation.parameters) {
    const isThere = context.draw.chance(share);
    const text = parameterText(context, operation, parameter);
    if (parameter.in === 'path') path[parameter.name] = queryText(text);
    else if (!isThere) continue;
    else if (parameter.in === 'query') query.push([parameter.name, queryText(text)]);
    else headers.push([parameter.name, headerText(text)]);
  }
  const body = draftBody(context, operation);
  const contentType = body && 'application/json';
  return {
    operation,
    method: operation.method,
    path,
    query,
    headers,
    contentType,
    key: 'all',
    body,
    rewrite: [],
  };
}

function draftBody(context: Context, { body }: Operation): Draft['body'] {
  const isThere = context.draw.chance(SHARE_OF_BODIES);
  if (!body || (!body.isRequired && !isThere)) return undefined;
  return { value: drawValue(context, body.schema, { name: '' }) };
}

/** An id that nothing has: of the form of one, so that it is looked for. */
const NOBODYS_ID = '01m80wvd14etfbnycmvzp2r688';

function parameterText(context: Context, operation: Operation, parameter: Parameter): string {
  const { name, description } = parameter;
  const collection = collectionOf(operation);
  const schema = { description, ...(typeof parameter.schema === 'object' && parameter.schema) };
  const wellKnown = WELL_FORMED[name.toLowerCase()];
  if (wellKnown) return context.draw.pick(wellKnown);
  const otherwise = drawValue(context, schema, { name, collection });
  if (parameter.in !== 'path') return String(otherwise);
  return String(drawByMeaning(context, schema, { name, collection }) ?? (otherwise || NOBODYS_ID));
}

/** The word in a path before its first parameter, or its last word. */
export function collectionOf({ path }: Pick<Operation, 'path'>): string {
  const words = path.split('/').filter((word) => word !== '');
  const first = words.findIndex((word) => word.startsWith('{'));
  return words.at(first === -1 ? -1 : first - 1) ?? '';
}

/** Headers whose form the document describes in words. */
const WELL_FORMED: Record<string, readonly string[]> = {
  'idempotency-key': Array.from({ length: 40 }, (_, index) => `key-${index}`),
  prefer: ['wait=0', 'wait=1', 'respond-async', 'respond-async, wait=1', 'return=minimal'],
  traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  tracestate: ['vendor=value', 'a=1,b=2'],
  'x-request-id': ['request-1', 'a/b:c+d=e_f.g-h'],
};

/** A U+0000 is refused wherever it stands, and half of a surrogate pair cannot be encoded. */
function queryText(text: string): string {
  return encodeURIComponent(text.replaceAll('\u0000', 'x').toWellFormed());
}

/** RFC 9110, section 5.5: what cannot stand in the value of a field is left out. */
export function headerText(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').trim();
}
