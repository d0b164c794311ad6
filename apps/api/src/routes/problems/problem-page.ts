import { PROBLEMS, type ProblemCode } from '@accepted/shared/contract/problems';

/** Writes the page that a problem's `type` leads to. All text is the registry's own. */
export function problemPage(code: ProblemCode): string {
  const { status, title, meaning, remedy } = PROBLEMS[code];
  return page(
    `${code} · Accepted`,
    `<h1>${code}</h1>
<p><strong>${status}</strong> · ${title}.</p>
<p>${inline(meaning)}</p>
<p><em>What to do:</em> ${inline(remedy)}</p>
<p><a href="../problems">All problems</a></p>`,
  );
}

/** Writes the page that lists all problems. */
export function problemIndexPage(): string {
  const items = Object.entries(PROBLEMS).map(
    ([code, { status, title }]) =>
      `<li><a href="problems/${code}"><code>${code}</code></a> ${status} · ${title}</li>`,
  );
  return page('Problems · Accepted', `<h1>Problems</h1>\n<ul>\n${items.join('\n')}\n</ul>`);
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title><meta name="viewport" content="width=device-width"></head>
<body>
${body}
</body>
</html>
`;
}

function inline(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return escaped.replace(/`([^`]+)`/g, '<code>$1</code>');
}
