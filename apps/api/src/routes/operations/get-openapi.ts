import { createHash } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { CatalogSnapshot } from '../../catalog/catalog.ts';
import { matchesETag } from '../../http/conditional.ts';
import { gzipped, markGzipped, prefersGzip, varyBy } from '../../http/content-coding.ts';
import { addCatalog } from '../../openapi/api-document.ts';
import { openAnswers } from '../../schemas/describe-route.ts';
import { IfNoneMatch } from '../../schemas/request-headers.ts';
import { ETAG_HEADERS } from '../../schemas/response-headers.ts';

const schema = {
  summary: 'This API as OpenAPI 3.1',
  description: 'With the payload schema of every registered job type, as `Payload.<type>`.',
  tags: ['operations'],
  headers: Type.Object({ 'If-None-Match': IfNoneMatch }),
  response: openAnswers(
    {
      200: {
        description: 'The document.',
        schema: Type.Object({}, { description: 'An OpenAPI 3.1 document.' }),
        headers: ETAG_HEADERS,
      },
      304: { description: 'The document is as `If-None-Match` knows it.', headers: ETAG_HEADERS },
    },
    [],
  ),
};

/** `GET /openapi.json`: the document that `/docs` shows and clients are generated from. */
export const getOpenApi: FastifyPluginAsyncTypebox = async (app) => {
  const write = createDocumentWriter((catalog) => {
    const document = app.apiDocument();
    return JSON.stringify(catalog ? addCatalog(document, catalog) : document);
  });
  // To make it holds up everybody for a tenth of a second, so the first who asks must not be the one who has it made.
  app.addHook('onReady', async () => void app.apiDocument());
  app.get('/openapi.json', { schema }, async (request, reply) => {
    const document = write(await readCatalog(request.server));
    const { text, etag } = document;
    reply.header('etag', etag).header('cache-control', 'no-cache');
    varyBy(reply, 'accept-encoding');
    if (matchesETag(request.headers['if-none-match'], etag)) return reply.code(304).send();
    reply.type('application/json; charset=utf-8');
    if (!prefersGzip(request)) return reply.send(text);
    const body = await compress(document);
    markGzipped(reply);
    return reply.send(body);
  });
};

function readCatalog({ catalog, log }: FastifyInstance): Promise<CatalogSnapshot | undefined> {
  return catalog.read().catch((error: unknown) => {
    log.warn({ err: error }, 'the document goes without the catalog');
    return undefined;
  });
}

/** It is compressed once and sent often. */
const GZIP_LEVEL = 9;

interface WrittenDocument {
  catalog: CatalogSnapshot | undefined;
  text: Buffer;
  /** Once somebody has asked for it so. */
  compressed?: Promise<Buffer>;
  etag: string;
}

/** Compresses a document once: anybody may ask for it, as often as he likes. */
function compress(document: WrittenDocument): Promise<Buffer> {
  document.compressed ??= gzipped(document.text, GZIP_LEVEL);
  return document.compressed;
}

/** Writes the document once for every catalog, and tells by its tag whether it is another. */
function createDocumentWriter(write: (catalog: CatalogSnapshot | undefined) => string) {
  let last: WrittenDocument | undefined;
  return (catalog: CatalogSnapshot | undefined) => {
    if (!last || !isSameCatalog(last.catalog, catalog)) {
      const text = Buffer.from(write(catalog));
      const etag = `"${createHash('sha256').update(text).digest('base64url')}"`;
      last = { catalog, text, etag };
    }
    return last;
  };
}

/** A type that is read again has another row, but the same check as long as its payload schema is the same. */
function isSameCatalog(one: CatalogSnapshot | undefined, other: CatalogSnapshot | undefined): boolean {
  if (one === other || !one || !other) return one === other;
  const isKnown = ([type, { check }]: [string, { check: unknown }]) => one.types.get(type)?.check === check;
  return one.types.size === other.types.size && [...other.types].every(isKnown);
}
