import type { Index } from './get-index.ts';

const TEXTS: Record<string, string> = {
  docs: 'The API, to read and to try',
  openapi: 'The API as OpenAPI 3.1',
  jobs: 'Jobs (with an API key)',
  jobTypes: 'Job types (with an API key)',
  problems: 'What errors mean',
  health: 'Whether this server is ready',
};

/** Writes what a browser shows at `/`. All text is our own. */
export function indexPage({ name, description, version, links }: Index): string {
  const items = Object.entries(TEXTS).flatMap(([key, text]) => {
    const path = links[key];
    return path ? [`<li><a href="${path}">${text}</a>: <code>${path}</code></li>`] : [];
  });
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${name}</title><meta name="viewport" content="width=device-width"></head>
<body>
<h1>${name} ${version}</h1>
<p>${description}</p>
<ul>
${items.join('\n')}
</ul>
</body>
</html>
`;
}
