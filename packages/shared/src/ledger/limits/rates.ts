import { sql, type Transaction } from 'kysely';
import type { Rate } from '../../core/overload/rate-policies.ts';
import type { Database } from '../connection/connect.ts';
import type { Ledger } from '../connection/tables.ts';

/** Of a tenant; `null`: any number. */
export interface TenantRates {
  id: string;
  rate: Rate | null;
  /** How many jobs it may submit in a day of UTC. */
  dailyQuota: number | null;
}

/** All rates and quotas of tenants that are laid down, and the edition of theirs that they are. That of a key stands with the key. */
export interface RatesInForce {
  edition: string;
  tenants: TenantRates[];
}

/** Says that rates or quotas of tenants were changed; processes read them anew within a second. */
export async function noteRatesChanged(tx: Transaction<Ledger>): Promise<void> {
  await sql`UPDATE rates_edition SET edition = edition + 1 WHERE is_only_row`.execute(tx);
}

/** Reads rates and quotas as they are at one moment. Costs as much as there are. */
export async function readRates(db: Database): Promise<RatesInForce> {
  const { rows } = await sql<RatesInForce>`
    /* read-rates */ SELECT edition::text AS edition,
      (SELECT coalesce(json_agg(json_build_object('id', id, 'dailyQuota', daily_quota, 'rate', CASE WHEN rate_per_second IS NOT NULL
        THEN json_build_object('perSecond', rate_per_second, 'burst', burst) END)), '[]') FROM tenants
       WHERE rate_per_second IS NOT NULL OR daily_quota IS NOT NULL) AS tenants
    FROM rates_edition WHERE is_only_row`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('A look at the rates answered no row.');
  return row;
}
