import { type SpawnedProcess, type SpawnOptions, spawnProcess } from '@accepted/testing/spawn-process';

const EXIT_WITH_PARENT = new URL('../preload/exit-with-parent.ts', import.meta.url).href;

/** Starts a program that ends with this process at the latest; `file` is relative to the workspace. */
export function spawnProgram(file: string, options: SpawnOptions = {}): SpawnedProcess {
  return spawnProcess(file, { ...options, nodeFlags: [`--import=${EXIT_WITH_PARENT}`] });
}
