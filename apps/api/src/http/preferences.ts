import parsePreferHeader from 'parse-prefer-header';

/** What a caller asks for with `Prefer` (RFC 7240) and we know of. */
export interface Preferences {
  waitSeconds?: number;
  respondAsync?: boolean;
}

/** Reads the `Prefer` header; whatever we do not know or cannot read is ignored, as the RFC demands. */
export function parsePreferences(header: string | string[] | undefined): Preferences {
  if (header === undefined) return {};
  const { wait, respondAsync } = parsePreferHeader(header);
  return {
    ...(typeof wait === 'string' && /^\d+$/.test(wait) && { waitSeconds: Number(wait) }),
    ...(respondAsync === true && { respondAsync: true }),
  };
}

/** Says which preferences were honoured, for `Preference-Applied`; `undefined` when none was. */
export function appliedPreferences(
  asked: Preferences,
  appliedWaitSeconds: number | undefined,
): string | undefined {
  const applied = [
    ...(asked.respondAsync ? ['respond-async'] : []),
    ...(appliedWaitSeconds === undefined ? [] : [`wait=${appliedWaitSeconds}`]),
  ];
  return applied.length > 0 ? applied.join(', ') : undefined;
}
