// Writes the results of a standard run into the page on performance:
//   npm run bench:publish -- --from <folder>
// The folder is one that the run was given with --folder.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ALL_PARTS } from '../parts.ts';
import { writePerformance } from './performance-page.ts';

const PAGE = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url));

const { from } = parseArgs({ options: { from: { type: 'string' } } }).values;
if (!from) throw new TypeError('--from takes a folder.');
await writePerformance(PAGE, from, ALL_PARTS);
