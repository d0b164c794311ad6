import { page } from './page.ts';

/** Says what it means that the board has nothing to show, in words that also fit into a line. */
export const ENGINE_AWAY =
  'The queue engine does not answer, so there is nothing to show here. Jobs are accepted all the same, and none is lost: they are in the ledger and are delivered once the engine is back.';

/** Writes the page that stands in for the board; it looks again by itself. */
export function engineAwayPage(kind: 'redis' | 'postgres'): string {
  const advice =
    kind === 'redis'
      ? 'Look at Redis: does it run, does <code>REDIS_URL</code> lead to it, is its memory full?'
      : 'Look at Postgres: does it run, does <code>DATABASE_URL</code> lead to it?';
  return page(
    'Queue engine away',
    `<main>
  <h1>The queue engine does not answer</h1>
  <p>${ENGINE_AWAY}</p>
  <p>${advice} The log of the API has the error. <code>GET /v1/dead-letters</code> and all other routes work meanwhile.</p>
  <p>This page looks again every five seconds.</p>
</main>`,
    '\n<meta http-equiv="refresh" content="5">',
  );
}
