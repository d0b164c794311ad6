import type { ProblemDefinition } from './problem-definition.ts';
import { PROBLEMS } from './problems.ts';

/** Writes docs/errors.md out of the registry, so that the two cannot differ. */
export function errorsPage(): string {
  const sections = Object.entries(PROBLEMS).map(([code, problem]) => section(code, problem));
  return `${[INTRODUCTION, ...sections].join('\n\n')}\n`;
}

const INTRODUCTION = `# Errors

Every error is \`application/problem+json\` (RFC 9457): \`type\` (a URL that leads to the text below), \`title\`, \`status\`,
\`detail\`, \`code\`, \`requestId\` and, where several things can be wrong at once, \`errors: [{ pointer, detail }]\`. Act on
\`code\`; the texts may change.

This page is generated from \`packages/shared/src/contract/problems.ts\`: \`npx vitest run errors-page -u\`.`;

function section(code: string, { status, title, meaning, remedy }: ProblemDefinition): string {
  return `## ${code}\n\n**${status}** · ${title}.\n\n${meaning}\n\n*What to do:* ${remedy}`;
}
