import type { Generated } from 'kysely';

/** What a request with an `Idempotency-Key` did, for as long as it may come again. */
export interface IdempotencyKeysTable {
  tenant_id: string;
  route: string;
  key: string;
  fingerprint: Buffer;
  /** The job that was made with the key; `null` where something else was done. */
  job_id: string | null;
  /** The HTTP status of the first answer; `null` while nobody was answered. */
  status: number | null;
  /** What an answer that is no new job can be made of again. */
  answer: unknown;
  created_at: Generated<Date>;
  expires_at: Date;
}
