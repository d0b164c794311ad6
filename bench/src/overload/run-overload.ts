import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nameCommit } from '@accepted/testing/name-commit';
import { describeMachine } from '../world/machine.ts';
import { startServers } from '../world/servers.ts';
import type { OverloadOptions } from './options.ts';
import type { OverloadPart, PartOptions } from './part.ts';
import type { OverloadReport, ReportedPart } from './report/overload-report.ts';
import { SIZES } from './sizes.ts';

export interface OverloadRun extends Pick<OverloadOptions, 'size' | 'parts' | 'withOthers'> {
  command: string;
  folder: string;
  /** Shows a line about how far the run is. */
  say: (line: string) => void;
}

/** Runs the parts, each by itself, and leaves report and plots in the folder. A part that fails is noted, and the others go on. */
export async function runOverload(run: OverloadRun): Promise<OverloadReport> {
  const { size, command, folder, say, withOthers } = run;
  const startedAt = Date.now();
  const commit = await nameCommit(import.meta.dirname);
  await using servers = await startServers();
  const machine = await describeMachine(servers);
  const options: PartOptions = { servers, size: SIZES[size], withOthers, say };
  const parts: ReportedPart[] = [];
  const failures: OverloadReport['failures'] = [];
  for (const part of run.parts) {
    say(`${part.name}: ${part.title}`);
    try {
      parts.push(await runPart(part, options, folder));
      await keep();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      say(`${part.name} FAILED: ${message}`);
      failures.push({ part: part.name, message });
    }
  }
  return await keep();

  /** A run that is cut short leaves what it has. */
  async function keep(): Promise<OverloadReport> {
    const times = { startedAt, endedAt: Date.now() };
    const report: OverloadReport = { size, commit, command, ...times, machine, parts, failures };
    await writeFile(join(folder, 'overload.json'), `${JSON.stringify(report, undefined, 2)}\n`);
    return report;
  }
}

async function runPart(
  { name, title, explanation, run }: OverloadPart,
  options: PartOptions,
  folder: string,
): Promise<ReportedPart> {
  const { plots, ...findings } = await run(options);
  const kept: ReportedPart['plots'] = [];
  for (const [index, { title: shown, svg }] of plots.entries()) {
    const file = index === 0 ? `${name}.svg` : `${name}-${index + 1}.svg`;
    await writeFile(join(folder, file), svg);
    kept.push({ title: shown, file });
  }
  return { name, title, explanation, ...findings, plots: kept };
}
