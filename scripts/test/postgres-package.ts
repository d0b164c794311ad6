import { access, mkdir, writeFile } from 'node:fs/promises';

const FOLDER = '/etc/postgresql-common';

/**
 * Has Debian's package bring the programs only: by itself it makes a database cluster and starts it at each boot. A
 * system that has the package's settings already keeps them.
 */
export async function keepPackageFromMakingCluster(): Promise<void> {
  const file = `${FOLDER}/createcluster.conf`;
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  await mkdir(FOLDER, { recursive: true });
  await writeFile(file, 'create_main_cluster = false\n');
}
