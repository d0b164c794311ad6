import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { configSchema } from '../apps/api/src/config.ts';
import { longestText } from '../apps/api/src/submit/longest-text.ts';
import { createBuiltinHandlers } from '../apps/worker/src/handlers/builtin/create-builtin-handlers.ts';
import { describeJobType } from '../apps/worker/src/handlers/describe-job-type.ts';
import { loadHandlers } from '../apps/worker/src/handlers/load-handlers.ts';
import { outboundTo } from '../apps/worker/src/handlers/testing/outbound.ts';

const JOBS_DIR = fileURLToPath(new URL('../examples/jobs', import.meta.url));
const DEFAULT_MAX_BODY_BYTES = Number(configSchema.shape.MAX_BODY_BYTES.def.defaultValue);

/** Room for what else may be in a request: 16 KiB of metadata, tags, a webhook. */
const REST_BYTES = 40_000;

/** UTF-8 takes at most three bytes for a UTF-16 unit, and base64 needs only ASCII. */
const bytesOf = ({ length, isBase64 }: { length: number; isBase64: boolean }) => length * (isBase64 ? 1 : 3);

test('what the schemas of the examples and of the built-in types allow, the API takes', async () => {
  const builtins = createBuiltinHandlers({ webhookSecrets: async () => [], outbound: outboundTo() });
  const handlers = await loadHandlers({ jobsDir: JOBS_DIR, builtins });
  const longest = handlers.map(describeJobType).map(({ type, payloadSchema }) => {
    const text = longestText(payloadSchema);
    return { type, fits: !text || bytesOf(text) + REST_BYTES <= DEFAULT_MAX_BODY_BYTES };
  });

  expect(longest.length).toBeGreaterThanOrEqual(5);
  expect(longest.filter(({ fits }) => !fits)).toEqual([]);
});
