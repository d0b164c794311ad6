/** What each format of JSON Schema looks like, for people. */
const FORMATS: Record<string, string> = {
  'date-time': 'a date and a time with its zone (RFC 3339), such as 2026-11-22T10:00:00Z',
  'iso-date-time': 'a date and a time, such as 2026-11-22T10:00:00Z',
  date: 'a date, such as 2026-11-22',
  time: 'a time of day with its zone, such as 10:00:00Z',
  'iso-time': 'a time of day, such as 10:00:00',
  duration: 'a duration (ISO 8601), such as PT1H30M',
  uri: 'an absolute URL, such as https://example.com/a',
  'uri-reference': 'a URL, absolute or relative',
  'uri-template': 'a URI template (RFC 6570), such as https://example.com/{id}',
  url: 'an absolute URL, such as https://example.com/a',
  email: 'an e-mail address, such as ada@example.com',
  hostname: 'the name of a host, such as example.com',
  ipv4: 'an IPv4 address, such as 192.0.2.1',
  ipv6: 'an IPv6 address, such as 2001:db8::1',
  regex: 'a regular expression',
  uuid: 'a UUID, such as 123e4567-e89b-42d3-a456-426614174000',
  'json-pointer': 'a JSON Pointer (RFC 6901), such as /a/0',
  'json-pointer-uri-fragment': 'a JSON Pointer as a fragment, such as #/a/0',
  'relative-json-pointer': 'a relative JSON Pointer, such as 1/a',
  byte: 'base64',
  int32: 'an integer of 32 bits',
  int64: 'an integer of 64 bits',
  float: 'a number',
  double: 'a number',
};

/** Says what a value of this format looks like. */
export function formatWords(format: string): string {
  return (Object.hasOwn(FORMATS, format) && FORMATS[format]) || `of the form "${format}"`;
}
