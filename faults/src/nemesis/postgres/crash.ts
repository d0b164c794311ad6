import type { Fault } from '../fault.ts';
import { hold } from '../targets.ts';

/** An immediate stop, which writes nothing down, and a start with crash recovery. */
export const crashPostgres: Fault = {
  kind: 'postgres-crashed',
  async inject({ world: { postgres }, random }) {
    const before = postgres.pid;
    await postgres.stop('immediate');
    const awayMs = await hold(random, 300, 2_500);
    await postgres.start();
    if (postgres.pid === before) throw new Error(`Postgres still has pid ${before}`);
    return { target: 'postgres', proof: `pid ${before} became ${postgres.pid}, away ${awayMs} ms` };
  },
};
