import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Code, Heading, Link, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { visit } from 'unist-util-visit';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A Markdown file of the project; `path` is relative to the workspace. */
export interface Page {
  path: string;
  text: string;
  links: string[];
  headings: string[];
  /** `meta` is what follows the language. */
  code: { language: string; meta: string; text: string }[];
}

/** Reads every Markdown file that git knows or would add. */
export function readPages(): Page[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
  const paths = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
  return paths.filter((path) => existsSync(`${ROOT}${path}`)).map(readPage);
}

export function readPage(path: string): Page {
  const text = readFileSync(`${ROOT}${path}`, 'utf8');
  const page: Page = { path, text, links: [], headings: [], code: [] };
  visit(fromMarkdown(text), (node) => {
    if (node.type === 'link' || node.type === 'image' || node.type === 'definition')
      page.links.push((node as Link).url);
    if (node.type === 'html') page.links.push(...urlsOfHtml((node as { value: string }).value));
    if (node.type === 'heading') page.headings.push(textOf((node as Heading).children));
    if (node.type === 'code')
      page.code.push({
        language: (node as Code).lang ?? '',
        meta: (node as Code).meta ?? '',
        text: (node as Code).value,
      });
  });
  return page;
}

function urlsOfHtml(html: string): string[] {
  return [...html.matchAll(/(?:src|srcset|href)="([^"]+)"/g)].map(([, url = '']) => url);
}

function textOf(nodes: RootContent[]): string {
  return nodes
    .map((node) => ('value' in node ? node.value : 'children' in node ? textOf(node.children) : ''))
    .join('');
}

/** Gives the rows of the first Markdown table after `heading`, as cells, without its head. */
export function tableAfter(page: Page, heading: string): string[][] {
  const [, section] = `\n${page.text}`.split(`\n${heading}\n`);
  const [table = ''] = /^(\|.*\n)+/m.exec(section ?? '') ?? [];
  const lines = table.trimEnd().split('\n').slice(2);
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}
