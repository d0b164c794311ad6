import { buildId } from '@accepted/shared/core/job/build';
import type { Database } from '@accepted/shared/ledger/connection/connect';
import { type Build, registerBuild } from '@accepted/shared/ledger/workers/builds';
import { describeJobType } from './describe-job-type.ts';
import type { LoadedHandler } from './loaded-handler.ts';

/** Writes down what this worker can run, and answers the build that it is of. */
export async function registerOwnBuild(
  db: Database,
  handlers: LoadedHandler[],
  versions: Record<string, string>,
): Promise<Build> {
  const types = handlers.map(describeJobType);
  const build = { id: buildId(types, versions.accepted ?? ''), types };
  await registerBuild(db, build);
  return build;
}
