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
  return undefined;
}
