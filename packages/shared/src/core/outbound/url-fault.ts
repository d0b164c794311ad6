/**
 * Tells why a URL can never be called, whoever calls it; `undefined` when it may work. Whether the address may be called
 * is for the worker to say: only it knows which networks are allowed.
 */
export function urlFault(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url) return 'This is no absolute URL.';
  // Other schemes could read files or send mail.
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `The URL must be http or https, not ${url.protocol}`;
  // They would end up in logs and dead letters.
  if (url.username !== '' || url.password !== '') return 'The URL must not carry credentials; use a header.';
  if (url.port === '0') return 'The URL must not name port 0.';
  return hostFault(url.hostname);
}

const MAX_NAME = 253;

/** RFC 1035, section 2.3.4: 63 octets. Names with an underscore are no host names by the standard, and are in use. */
const LABEL = /^[a-z0-9_-]{1,63}$/;

/** Tells why a host, as `URL` spells it, can have no address: a resolver does not even ask for such a name. */
function hostFault(host: string): string | undefined {
  if (host.startsWith('[')) return undefined;
  const name = host.replace(/\.$/, '');
  if (name.length > MAX_NAME) return `The name of the host is longer than ${MAX_NAME} characters.`;
  if (name.split('.').every((label) => LABEL.test(label))) return undefined;
  return 'The name of the host cannot exist: between its dots stand 1 to 63 letters, digits, hyphens or underscores.';
}
