/**
 * Puts `content` between the comments `<!-- name -->` and `<!-- /name -->` of a page, each on a line of its own.
 * Throws when they are not both there.
 */
export function replaceBetween(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->\n`, `\n<!-- /${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`The page has no ${begin.trim()} … ${end.trim()}.`);
  return `${page.slice(0, from + begin.length)}\n${content}\n${page.slice(to)}`;
}
