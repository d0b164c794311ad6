export const INTRODUCTION = `# API reference

Every route, field and header, made from the schemas that the server checks requests by. \`/docs\` on your server shows the same to try out,
with the payloads of your job types; \`/openapi.json\` is for [generators of clients](clients.md). [Errors](errors.md) explains every \`code\`.

This page is generated: \`npx vitest run --project integration api-reference -u\` writes it anew. Its examples are run by the same test, with
\`KEY\` being an API key, and \`JOB\`, \`DEAD_LETTER\` and so on ids.`;
