// Writes the results of standard runs into the guarantees page:
//   npm run faults:publish -- --redis <folder> --postgres <folder> [--soak <folder>] --control <folder>
// Each folder is one that a run was given with --folder.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeGuarantees } from './guarantees-page.ts';

const PAGE = fileURLToPath(new URL('../../../docs/guarantees.md', import.meta.url));

const folder = { type: 'string' } as const;
const { redis, postgres, soak, control } = parseArgs({
  options: { redis: folder, postgres: folder, soak: folder, control: folder },
}).values;
if (!redis || !postgres || !control)
  throw new TypeError('--redis, --postgres and --control each take a folder.');
await writeGuarantees(PAGE, { redis, postgres, control, ...(soak !== undefined && { soak }) });
