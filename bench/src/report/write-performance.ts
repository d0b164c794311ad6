// Writes the results of a standard run into the page on performance:
//   npm run bench:publish -- --from <folder> [--again <folder>]...
// The folders are those that runs were given with --folder. A part of the run that was measured again is taken from the last
// run that made it.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ALL_PARTS } from '../parts.ts';
import { writePerformance } from './performance-page.ts';

const PAGE = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));

const { from, again } = parseArgs({
  options: { from: { type: 'string' }, again: { type: 'string', multiple: true } },
}).values;
if (!from) throw new TypeError('--from takes a folder.');
await writePerformance(PAGE, from, ALL_PARTS, again);
