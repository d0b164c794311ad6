import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** Reads the lines of a file that are not empty, one at a time. */
export async function* textLines(path: string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: createReadStream(path) })) if (line !== '') yield line;
}
