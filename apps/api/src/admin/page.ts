import { createHash } from 'node:crypto';

const STYLE = `
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f4f5f7; color: #1c2430;
  font: 16px/1.5 system-ui, sans-serif; }
form, main { display: grid; gap: 1rem; width: 20rem; padding: 2rem; border-radius: 8px; background: #fff;
  box-shadow: 0 1px 4px #0002; }
main { width: 32rem; max-width: calc(100vw - 4rem); }
h1, p { margin: 0; } h1 { font-size: 1.25rem; }
label { display: grid; gap: .25rem; }
input, button { padding: .5rem .75rem; border: 1px solid #8b96a5; border-radius: 4px; font: inherit; }
button { border-color: #1d4ed8; background: #1d4ed8; color: #fff; cursor: pointer; }
[role=alert] { color: #b42318; }
@media (prefers-color-scheme: dark) {
  body { background: #151a21; color: #e6e9ee; } form, main { background: #1e252e; } [role=alert] { color: #ff9b90; }
}`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Lets a page of ours run no script and load nothing. */
export const PAGE_CSP = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/** Writes a page for operators; `title`, `body` and `head` must be texts of ours. */
export function page(title: string, body: string, head = ''): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">${head}
<title>${title} · Accepted</title>
<style>${STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}
