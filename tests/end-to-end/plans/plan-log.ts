import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type PostgresKind,
  type PostgresServer,
  startPostgresServer,
} from '@accepted/testing/postgres-server';

/** A plan as Postgres ran it, for one of our connections. */
export interface LoggedPlan {
  application: string;
  statement: string;
  root: PlanNode;
  /** Whether the plan was compiled. */
  isCompiled: boolean;
}

export interface PlanNode {
  'Node Type': string;
  'Total Cost': number;
  'Plan Rows': number;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  /** From PostgreSQL 18 on; before, a disabled node costs 10^10. */
  Disabled?: boolean;
  Plans?: PlanNode[];
}

const DISABLED_COST = 1e10;

/** A PostgreSQL that logs the plan of each statement that it runs. */
export interface PlanLog extends AsyncDisposable {
  readonly url: string;
  /** Reads the plans of our processes that were logged since the last call. */
  read(): Promise<LoggedPlan[]>;
}

const MARK = '@@';

export async function startPlanLog(kind: PostgresKind): Promise<PlanLog> {
  const settings = [
    'shared_preload_libraries=auto_explain',
    'auto_explain.log_min_duration=0',
    'auto_explain.log_format=json',
    'auto_explain.log_nested_statements=on',
    `log_line_prefix=${MARK}%a${MARK}`,
    'autovacuum=off',
    'fsync=off',
  ];
  const server = await startPostgresServer(
    settings.flatMap((setting) => ['-c', setting]),
    kind,
  );
  let read = 0;
  return {
    url: server.url,
    async read() {
      const log = await readLog(server);
      const plans = parsePlans(log.slice(read));
      read = log.length;
      return plans;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function readLog({ dataDir }: PostgresServer): Promise<string> {
  return readFile(join(dataDir, 'server.log'), 'utf8');
}

const ENTRY =
  /^@@(accepted-(?:api|worker|engine)[a-z-]*)@@LOG: {2}duration: [\d.]+ ms {2}plan:\n((?:\t.*\n)+)/gm;

function parsePlans(log: string): LoggedPlan[] {
  return [...log.matchAll(ENTRY)].map(([, application = '', text = '']) => {
    const { 'Query Text': statement, Plan: root, JIT } = JSON.parse(text);
    return { application, statement, root, isCompiled: JIT !== undefined };
  });
}

/** Lists a plan's nodes, the root first. */
export function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** Tells whether Postgres took a node that our settings tell it not to take, for want of another. */
export function hasDisabledNode({ root }: LoggedPlan): boolean {
  return nodesOf(root).some((node) => node.Disabled === true || node['Total Cost'] >= DISABLED_COST);
}
