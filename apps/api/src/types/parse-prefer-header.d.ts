declare module 'parse-prefer-header' {
  /** Parses a `Prefer` header (RFC 7240); names become camel case, a preference without a value is `true`. */
  export default function parsePreferHeader(
    header: string | string[] | undefined,
  ): Record<string, string | true | undefined>;
}
