import type { FastifyReply, FastifyRequest } from 'fastify';
import { decodeCursor, encodeCursor } from './cursor.ts';

const DEFAULT_LIMIT = 20;
/** What the items of a page may take as JSON; one that is larger by itself is a page. */
const MAX_PAGE_BYTES = 2 * 2 ** 20;

/** One page of a list as clients get it. */
export interface Page<Item> {
  data: Item[];
  hasMore: boolean;
  nextCursor: string | null;
}

/** Reads which page is asked for; one row more than fits tells whether there is another page. */
export function readPage(query: { limit?: number; cursor?: string }): { limit: number; afterId?: string } {
  const limit = (query.limit ?? DEFAULT_LIMIT) + 1;
  return query.cursor === undefined ? { limit } : { limit, afterId: decodeCursor(query.cursor) };
}

/**
 * Makes the page out of rows that were read with `readPage`, and links to the next one (RFC 8288). It has fewer items than
 * were asked for where they would be too many bytes.
 */
export function answerPage<Row extends { id: string }, Item>(
  request: FastifyRequest,
  reply: FastifyReply,
  { rows, limit, view }: { rows: Row[]; limit: number; view: (row: Row) => Item },
): Page<Item> {
  const data = withinBytes(rows.slice(0, limit - 1).map(view));
  const hasMore = rows.length > data.length;
  const last = rows[data.length - 1];
  const nextCursor = hasMore && last ? encodeCursor(last.id) : null;
  if (nextCursor) reply.header('link', `<${withCursor(request.url, nextCursor)}>; rel="next"`);
  return { data, hasMore, nextCursor };
}

function withinBytes<Item>(items: Item[]): Item[] {
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    bytes += Buffer.byteLength(JSON.stringify(item));
    return index > 0 && bytes > MAX_PAGE_BYTES;
  });
  return end === -1 ? items : items.slice(0, end);
}

/** Makes the page of a list that is always short enough to be given whole. */
export function wholePage<Item>(data: Item[]): Page<Item> {
  return { data, hasMore: false, nextCursor: null };
}

function withCursor(target: string, cursor: string): string {
  const url = new URL(target, 'http://any');
  url.searchParams.set('cursor', cursor);
  return url.pathname + url.search;
}
