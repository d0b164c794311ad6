import type { Machine } from '../world/machine.ts';

export interface DescribedRun {
  machine: Machine;
  commit: string;
  command: string;
  startedAt: number;
  endedAt: number;
}

/** Says in Markdown when and on what a run was made, and by which command; `more` stands before how long it took. */
export function describeRun(
  { machine, commit, command, startedAt, endedAt }: DescribedRun,
  more: readonly string[] = [],
): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const minutes = Math.round((endedAt - startedAt) / 60_000);
  return [
    `Measured on ${new Date(startedAt).toISOString().slice(0, 10)} at ${commit}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}, ${machine.syncMs.toFixed(2)} ms for a write to reach the disk; ${versions.join(', ')}. ${[...more, `${minutes} minutes`].join(', ')}.`,
    '',
    '```sh',
    withoutPlaces(command),
    '```',
  ].join('\n');
}

/** Where somebody kept a run is of no use to others. */
function withoutPlaces(command: string): string {
  return command.replaceAll(/ --(folder|json) \S+/g, '');
}
