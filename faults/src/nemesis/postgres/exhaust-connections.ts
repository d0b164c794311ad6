import type pg from 'pg';
import type { Fault } from '../fault.ts';
import { hold } from '../targets.ts';
import { connect, terminateOthers } from './session.ts';

/** Takes every connection that there is, those of the API and the workers too. */
export const exhaustConnections: Fault = {
  kind: 'postgres-connections-exhausted',
  async inject({ world: { postgres }, random }) {
    const taken: pg.Client[] = [];
    let refusal = await takeAll(postgres.databaseUrl, taken);
    try {
      const [first] = taken;
      if (!refusal || !first) throw new Error('there were always more connections');
      for (let round = 0; round < 3; round += 1) {
        await terminateOthers(first);
        refusal = (await takeAll(postgres.databaseUrl, taken)) ?? refusal;
        await hold(random, 300, 800);
      }
      return { target: 'postgres', proof: `with ${taken.length} taken: ${refusal}` };
    } finally {
      await Promise.allSettled(taken.map((client) => client.end()));
    }
  },
};

/** Connects until Postgres refuses, and answers how it does; `undefined` when it never did. */
async function takeAll(url: string, taken: pg.Client[]): Promise<string | undefined> {
  const MOST = 1_000;
  while (taken.length < MOST) {
    try {
      taken.push(await connect(url));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  return undefined;
}
