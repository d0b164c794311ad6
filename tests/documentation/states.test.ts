import { isTerminal, JOB_STATUSES, TRANSITIONS } from '@accepted/shared/core/job/status';
import { expect, test } from 'vitest';
import { readPage, tableAfter } from './pages.ts';

const page = readPage('docs/states.md');
const transitions = JOB_STATUSES.flatMap((from) =>
  Object.entries(TRANSITIONS[from]).map(([event, to]) => `${from} -${event}-> ${to}`),
).sort();

test('the table of states has every legal transition and no other', () => {
  const rows = tableAfter(page, '# States of a job').map(([from, event, to]) => `${from} -${event}-> ${to}`);
  expect(rows.sort()).toEqual(transitions);
});

test('the diagram of states has every legal transition and no other', () => {
  const diagram = page.code.find(({ language }) => language === 'mermaid')?.text ?? '';
  const arrows = [...diagram.matchAll(/^ *(\w+) --> (\w+): (\w+)$/gm)];
  expect(arrows.map(([, from, to, event]) => `${from} -${event}-> ${to}`).sort()).toEqual(transitions);
});

test('the page names the terminal statuses', () => {
  const names = JOB_STATUSES.filter(isTerminal).map((status) => `\`${status}\``);
  expect(page.text).toContain(`${names.slice(0, -1).join(', ')} and ${names.at(-1)} are terminal`);
});

test('the glossary explains every status', () => {
  const { text } = readPage('docs/glossary.md');
  expect(JOB_STATUSES.filter((status) => !text.includes(`**${status}** – `))).toEqual([]);
});
