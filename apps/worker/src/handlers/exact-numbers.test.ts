import { defineJob } from '@accepted/job';
import { parseExactly } from '@accepted/shared/core/json/exact-numbers';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { attempt, loaded } from './testing/attempt.ts';

describe('a number that a double would change', () => {
  const handler = loaded(
    defineJob({
      type: 'test.digits',
      payload: z.unknown(),
      run: (payload, ctx) => [payload, ctx.job.metadata],
    }),
  );
  const id = '3889108265204450030';

  it('reaches a handler as text, and every other number as a number', async () => {
    const payload = parseExactly(`{"id":${id},"n":7,"list":[0.1000000000000000055,0.5]}`);
    const metadata = parseExactly(`{"order":${id}}`) as Record<string, unknown>;
    expect(await attempt(handler, { payload, metadata })).toEqual({
      kind: 'returned',
      resultJson: `[{"id":"${id}","n":7,"list":["0.1000000000000000055",0.5]},{"order":"${id}"}]`,
    });
  });

  it.each([id, '1e400', '-1e400', '1e-400'])(
    'may be in a result and in progress as it is: %s',
    async (digits) => {
      const raw = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(digits);
      const telling = loaded(
        defineJob({
          type: 'test.telling',
          payload: z.unknown(),
          run(_payload, ctx) {
            ctx.progress({ at: raw });
            return { id: raw };
          },
        }),
      );
      const seen: string[] = [];
      const onProgress = (value: unknown) => seen.push(JSON.stringify(value));
      expect(await attempt(telling, {}, { onProgress })).toEqual({
        kind: 'returned',
        resultJson: `{"id":${digits}}`,
      });
      expect(seen).toEqual([`{"at":${digits}}`]);
    },
  );
});
