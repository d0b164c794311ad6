import { importHandler } from '../import-handler.ts';
import { attempt } from './attempt.ts';

// Runs the isolated handler of the file given, and prints each progress on a line of its own.
const handler = await importHandler(process.argv[2] ?? '');
const onProgress = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
await attempt(handler, { payload: { deed: process.argv[3] } }, { onProgress });
