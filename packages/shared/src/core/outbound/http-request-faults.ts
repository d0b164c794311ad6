import { urlFault } from './url-fault.ts';

export const HTTP_REQUEST_TYPE = 'http.request';

/** These say how a message is framed, or where it goes, which only the client that sends it can know. */
const RESERVED_HEADERS = new Set(
  'connection content-length expect host keep-alive proxy-authorization proxy-connection te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
);

const SIGNATURE_HEADERS = new Set(['webhook-id', 'webhook-timestamp', 'webhook-signature']);

interface HttpRequestFault {
  /** The steps from the payload to what is wrong. */
  path: string[];
  detail: string;
}

/**
 * Lists why the payload of an `http.request` can never be sent, beyond what its JSON Schema says. It may have any shape:
 * a field that is not of its type is for the schema to report.
 */
export function findHttpRequestFaults(payload: unknown): HttpRequestFault[] {
  if (typeof payload !== 'object' || payload === null) return [];
  const { url, headers, sign } = payload as Record<string, unknown>;
  const detail = typeof url === 'string' ? urlFault(url) : undefined;
  const ofUrl = detail === undefined ? [] : [{ path: ['url'], detail }];
  return [...ofUrl, ...findHeaderFaults(headers, sign === true)];
}

/** Lists the headers that cannot be sent. */
export function findHeaderFaults(headers: unknown, isSigned: boolean): HttpRequestFault[] {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return [];
  const seen = new Set<string>();
  return Object.keys(headers).flatMap((name) => {
    const detail = faultOfHeader(name.toLowerCase(), seen, isSigned);
    seen.add(name.toLowerCase());
    return detail === undefined ? [] : [{ path: ['headers', name], detail }];
  });
}

function faultOfHeader(name: string, seen: Set<string>, isSigned: boolean): string | undefined {
  if (RESERVED_HEADERS.has(name)) return 'This header is set by the client that sends the request.';
  if (isSigned && SIGNATURE_HEADERS.has(name)) return 'This header is set by `sign`.';
  return seen.has(name) ? 'This header is named twice.' : undefined;
}
