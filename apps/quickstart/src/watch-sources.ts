import { globSync, watch } from 'node:fs';
import { resolve } from 'node:path';
import { WORKSPACE } from './config.ts';

/** An editor that saves writes a file more than once, and may save several. */
const SETTLED_AFTER_MS = 150;

/** Calls `onChange` whenever the sources of the api, the worker or the handlers have changed and come to rest. */
export function watchSources(jobsDir: string, onChange: () => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  const folders = globSync(['apps/{api,worker}/src', 'packages/*/src'], { cwd: WORKSPACE });
  const watchers = [...folders, jobsDir].map((folder) =>
    watch(resolve(WORKSPACE, folder), { recursive: true }, () => {
      clearTimeout(timer);
      timer = setTimeout(onChange, SETTLED_AFTER_MS);
    }),
  );
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
