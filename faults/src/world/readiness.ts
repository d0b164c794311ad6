import { open } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { request } from 'undici';

/** Tells whether a log file has `words` somewhere behind `from` bytes. */
export async function logHas(file: string, from: number, words: string): Promise<boolean> {
  const handle = await open(file, 'r');
  return (await text(handle.createReadStream({ start: from }))).includes(words);
}

/** Tells whether a server answers with success. */
export async function respondsTo(url: string): Promise<boolean> {
  const { statusCode, body } = await request(url, { headersTimeout: 1_000, bodyTimeout: 1_000 });
  await body.dump();
  return statusCode < 300;
}
