import type { FuzzRequest, KeyName } from '../request/fuzz-request.ts';

const MAX_BODY = 2_000;

const KEYS: Record<KeyName, string | undefined> = {
  all: '$KEY',
  few: '$KEY_OF_FEW_SCOPES',
  other: '$KEY_OF_OTHER_TENANT',
  none: undefined,
  unknown: '$UNKNOWN_KEY',
  revoked: '$REVOKED_KEY',
  malformed: '$MALFORMED_KEY',
};

/** Writes a request as a line for a shell, with names of variables for keys. A long body is cut. */
export function curlOf({ method, target, headers, body, key }: FuzzRequest, url: string): string {
  const verb = method === 'HEAD' ? '--head' : `-X ${method}`;
  const sent = headers.map(
    ([name, value]) => `-H ${quoted(value === '' ? `${name};` : `${name}: ${value}`)}`,
  );
  const name = KEYS[key];
  const authorization = name === undefined ? [] : [`-H "Authorization: Bearer ${name}"`];
  const data = body === undefined ? [] : [`--data-raw ${quoted(cut(body.toString()))}`];
  return ['curl -i --path-as-is', verb, ...authorization, ...sent, ...data, quoted(url + target)].join(' ');
}

function cut(text: string): string {
  return text.length <= MAX_BODY ? text : `${text.slice(0, MAX_BODY)}… (${text.length} characters)`;
}

/** Bash has a form of quotes in which every character can be spelled. */
function quoted(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes("'")) return `'${text}'`;
  const spelled = text.replace(/[\\']/g, '\\$&').replace(/\p{Cc}/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `$'${spelled}'`;
}
