const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*(?<rest>.*)$/is;

/**
 * Gives the target of a request as path and query. It may come with scheme and host as well (RFC 9112, section 3.2.2), and
 * is the same request then: to whoever looks for its route, its methods, or for what its idempotency key was used for.
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = ABSOLUTE_FORM.exec(target)?.groups?.rest;
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
