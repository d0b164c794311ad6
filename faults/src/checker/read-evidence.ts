import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EFFECT_FILES, type EffectLine, LOG_FILES, LOG_FOLDER } from '../logs.ts';
import type { Evidence } from './evidence.ts';
import { readWorkerLogs } from './read-worker-logs.ts';
import { textLines } from './text-lines.ts';

/** Reads what a run left in its folder. Throws when a file of the contract is missing or has a line that is not JSON. */
export async function readEvidence(folder: string): Promise<Evidence> {
  const lines = <Line>(file: string) => readLines<Line>(join(folder, file));
  return {
    run: JSON.parse(await readFile(join(folder, LOG_FILES.run), 'utf8')),
    acks: await lines(LOG_FILES.acks),
    effects: await readEffects(folder),
    hits: await lines(LOG_FILES.receiver),
    faults: await lines(LOG_FILES.faults),
    wipes: await lines(LOG_FILES.wipes),
    processes: await lines(LOG_FILES.processes),
    memory: await lines(LOG_FILES.memory),
    sayings: await readWorkerLogs(join(folder, LOG_FOLDER)),
    jobs: await lines(LOG_FILES.jobs),
    attempts: await lines(LOG_FILES.attempts),
    deadLetters: await lines(LOG_FILES.deadLetters),
    replays: await lines(LOG_FILES.replays),
    keys: await lines(LOG_FILES.keys),
    transitions: await lines(LOG_FILES.transitions),
    leases: await lines(LOG_FILES.leases),
  };
}

/** Reads the effects of all processes of a run. */
export async function readEffects(folder: string): Promise<EffectLine[]> {
  const files = (await readdir(folder)).filter((name) => EFFECT_FILES.test(name));
  const effects: EffectLine[] = [];
  for (const file of files)
    for await (const text of textLines(join(folder, file))) effects.push(JSON.parse(text));
  return effects;
}

/** Reads a file of one JSON value a line. */
export async function readLines<Line>(path: string): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const text of textLines(path)) lines.push(JSON.parse(text));
  return lines;
}
