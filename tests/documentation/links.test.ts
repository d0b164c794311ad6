import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import GithubSlugger from 'github-slugger';
import { expect, test } from 'vitest';
import { type Page, ROOT, readPages } from './pages.ts';

const pages = readPages();

test.each(pages.map((page) => [page.path, page] as const))('every link of %s leads somewhere', (_, page) => {
  expect(page.links.filter((link) => !leadsSomewhere(page, link))).toEqual([]);
});

test('no page names a path of the machine it was written on', () => {
  const paths = /(^|[\s`"'(])\/(work|home|root|Users|tmp)\//m;
  expect(pages.filter(({ text }) => paths.test(text)).map(({ path }) => path)).toEqual([]);
});

test('no page says that a job runs exactly once, but for what others say of theirs, in quotation marks', () => {
  const claims = pages.flatMap(({ path, text }) =>
    linesWith(text.replace(/"[^"]*"/g, ''), /exactly[- ]once/i).map((line) => `${path}: ${line}`),
  );
  expect(claims).toEqual([]);
});

function linesWith(text: string, pattern: RegExp): string[] {
  return text.split('\n').filter((line) => pattern.test(line));
}

function leadsSomewhere(page: Page, link: string): boolean {
  if (/^(https?:|mailto:)/.test(link)) return URL.canParse(link);
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page.path : normalize(join(dirname(page.path), path));
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(target).includes(anchor);
}

function anchorsOf(path: string): string[] {
  const slugger = new GithubSlugger();
  return pages.find((page) => page.path === path)?.headings.map((heading) => slugger.slug(heading)) ?? [];
}
