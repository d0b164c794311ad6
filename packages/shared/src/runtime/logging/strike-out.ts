/** The forms of the secrets that this system makes, and of those that requests carry. */
const PATTERNS: [RegExp, string][] = [
  [/\bacc_([0-9a-z]{26})_[0-9A-Za-z]+/g, 'acc_$1_***'],
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, 'whsec_***'],
  [/\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]+/gi, '$1 ***'],
  [/\baccepted_admin=[^;"\s\\]+/g, 'accepted_admin=***'],
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"/@:]*):[^\s"/]+@/gi, '$1:***@'],
];

/** A shorter password is also part of harmless words, such as the name of a host, and would strike those out too. */
const SHORTEST_SECRET = 12;

/**
 * Makes the function that strikes secrets out of a finished line of JSON: those given, also as they stand in a URL, and
 * whatever has the form of one. A line that was JSON stays JSON.
 */
export function strikeOut(secrets: readonly (string | undefined)[]): (line: string) => string {
  const texts = secrets.flatMap((secret) => (secret ? formsOf(secret) : []));
  const known = [...new Set(texts)].filter((text) => text.length >= SHORTEST_SECRET);
  // The longest first: one may be a part of another.
  known.sort((a, b) => b.length - a.length);
  return (line) => {
    const patterned = PATTERNS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), line);
    return known.reduce((text, secret) => text.replaceAll(secret, '***'), patterned);
  };
}

function formsOf(secret: string): string[] {
  const password = URL.parse(secret)?.password;
  const texts = password ? [password, decoded(password)] : [secret];
  return texts.flatMap((text) => [
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text.toWellFormed()),
  ]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
