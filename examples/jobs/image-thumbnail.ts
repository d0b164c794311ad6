import { defineJob, PermanentError } from '@accepted/job';
import sharp from 'sharp';
import { z } from 'zod';

/** About 750 kB of image: with what else is in a request, it stays below the API's `MAX_BODY_BYTES` of 1 MiB. */
const MAX_BASE64_LENGTH = 1_000_000;

/** Makes a WebP thumbnail. CPU-bound, so it is isolated: the worker goes on, and a timeout can end it. */
export default defineJob({
  type: 'image.thumbnail',
  payload: z.object({
    imageBase64: z.base64().min(1).max(MAX_BASE64_LENGTH),
    widthPx: z.int().min(1).max(1_024),
  }),
  result: z.object({ imageBase64: z.base64(), widthPx: z.int(), heightPx: z.int() }),
  timeoutMs: 30_000,
  isolate: true,
  async run({ imageBase64, widthPx }, ctx) {
    const image = sharp(Buffer.from(imageBase64, 'base64')).autoOrient();
    const thumbnail = image.resize({ width: widthPx, withoutEnlargement: true }).webp();
    const { data, info } = await thumbnail.toBuffer({ resolveWithObject: true }).catch((cause: unknown) => {
      throw new PermanentError('The payload is not an image that can be read.', {
        code: 'not_an_image',
        cause,
      });
    });
    ctx.logger.info({ bytes: data.length }, 'thumbnail made');
    return { imageBase64: data.toString('base64'), widthPx: info.width, heightPx: info.height };
  },
});
