import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createCompressor } from './compressor.ts';

test('two bodies are compressed at once, and a third goes as it is until there is room again', async () => {
  const { compress } = createCompressor();
  const body = '{"text":"ä"}'.repeat(10_000);
  const underWay = [compress(body), compress(Buffer.from(body))];
  expect(compress(body)).toBeUndefined();
  for (const compressed of underWay) expect(gunzipSync((await compressed) ?? '').toString()).toBe(body);
  expect(gunzipSync((await compress(body)) ?? '').toString()).toBe(body);
});
