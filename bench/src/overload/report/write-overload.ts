// Writes the results of a standard run into the page on overload:
//   npm run overload:publish -- --from <folder> [--again <folder>]...
// The folders are those that runs were given with --folder. A part that was measured again is taken from the last run that made it.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ALL_PARTS } from '../all-parts.ts';
import { writeOverload } from './overload-page.ts';

const PAGE = fileURLToPath(new URL('../../../../docs/overload.md', import.meta.url));

const { from, again } = parseArgs({
  options: { from: { type: 'string' }, again: { type: 'string', multiple: true } },
}).values;
if (!from) throw new TypeError('--from takes a folder.');
await writeOverload(
  PAGE,
  from,
  ALL_PARTS.map(({ name }) => name),
  again,
);
