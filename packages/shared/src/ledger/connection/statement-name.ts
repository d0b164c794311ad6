const NAME = /^\s*\/\* ([a-z-]{1,60}) \*\//;

/**
 * Reads the name out of a statement that begins with a comment that is a name, as in `/* claim-jobs` … Statements with a
 * name are parsed and planned once a connection instead of at each call, so the text that goes with a name must always
 * be the same: lists go as one array parameter.
 */
export function nameOfStatement(text: string): string | undefined {
  return NAME.exec(text)?.[1];
}
