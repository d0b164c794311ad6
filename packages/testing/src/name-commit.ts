import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Names the commit that a folder's code is of, such as `5c0470c` or `5c0470c+changes`; `unknown` outside a repository. */
export async function nameCommit(folder: string): Promise<string> {
  const describe = ['describe', '--always', '--exclude=*', '--dirty=+changes'];
  return await run('git', describe, { cwd: folder }).then(
    ({ stdout }) => stdout.trim(),
    () => 'unknown',
  );
}
