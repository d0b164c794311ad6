import {
  type Database,
  type DatabaseOptions,
  openDatabase,
} from '@accepted/shared/ledger/connection/connect';
import { divide, type Group } from './pool-sizes.ts';

/** The connections to the ledger, by what they are for. */
export type Pools = Readonly<Record<Group, Database>>;

export interface PoolsOptions
  extends Pick<DatabaseOptions, 'url' | 'connectTimeoutMs' | 'statementTimeoutMs'> {
  /** Of all groups together. */
  connections: number;
}

/** Opens the pools of all groups; nothing connects before the first query. */
export function openPools(
  { connections, ...options }: PoolsOptions,
  onConnectionError: (error: Error) => void,
): Pools {
  const sizes = divide(connections);
  const open = (group: Group) =>
    openDatabase(
      {
        ...options,
        applicationName: `accepted-api-${group}`,
        maxConnections: sizes[group],
        pipeline: group === 'read',
      },
      onConnectionError,
    );
  return {
    submit: open('submit'),
    read: open('read'),
    admin: open('admin'),
    admission: open('admission'),
    health: open('health'),
  };
}

export async function closePools(pools: Pools): Promise<void> {
  await Promise.all(Object.values(pools).map((db) => db.destroy()));
}
