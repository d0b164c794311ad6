// Writes the table of a standard run into the page on security:
//   npm run attack:publish -- <report.json>
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { AttackReport } from '../report.ts';
import { resultsTable } from './table.ts';

const PAGE = fileURLToPath(new URL('../../../docs/security.md', import.meta.url));
const RESULTS = /<!-- results -->[\s\S]*<!-- \/results -->/;

const [file] = process.argv.slice(2);
if (file === undefined)
  throw new TypeError('Name the report that `npm run attack -- --json FILE` has written.');
const report = JSON.parse(await readFile(file, 'utf8')) as AttackReport;
const page = await readFile(PAGE, 'utf8');
const attacks = report.measured.map(({ name, does }) => `- \`${name}\`: ${does}`).join('\n');
const made = `Made on ${report.date} at \`${report.commit}\` by \`${report.command}\`.`;
const results = [attacks, resultsTable(report.measured), made].join('\n\n');
await writeFile(
  PAGE,
  page.replace(RESULTS, () => `<!-- results -->\n\n${results}\n\n<!-- /results -->`),
);
