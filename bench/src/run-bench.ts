import { nameCommit } from '@accepted/testing/name-commit';
import type { Contender } from './contenders/contender.ts';
import type { Measure, Sample } from './measures/measure.ts';
import { SIZES } from './measures/sizes.ts';
import type { RunOptions } from './options.ts';
import type { Failure, RunReport } from './report/run-report.ts';
import { titleOf, writeFigure } from './report/table.ts';
import { rotate } from './rotate.ts';
import { describeMachine } from './world/machine.ts';
import { type Servers, startServers } from './world/servers.ts';
import { openSession } from './world/session.ts';

export interface BenchRun extends Pick<RunOptions, 'size' | 'rounds' | 'contenders' | 'measures' | 'parts'> {
  command: string;
  folder: string;
  /** Shows a line about how far the run is. */
  say: (line: string) => void;
}

/**
 * Measures every contender, round by round and in another order each round, so that what changes on the machine meanwhile
 * meets them all. A contender that fails is noted, and the others go on.
 */
export async function runBench(run: BenchRun): Promise<Omit<RunReport, 'targets'>> {
  const startedAt = Date.now();
  const commit = await nameCommit(import.meta.dirname);
  const samples: Sample[] = [];
  const failures: Failure[] = [];
  run.say('starting PostgreSQL and Redis');
  await using servers = await startServers();
  const machine = await describeMachine(servers);
  for (const measure of run.measures) {
    const contenders = run.contenders.filter((contender) => measure.appliesTo(contender));
    for (let round = 1; round <= run.rounds; round += 1) {
      for (const contender of rotate(contenders, round)) {
        const measured = await measureOnce(run, servers, { measure, contender, round });
        if (Array.isArray(measured)) samples.push(...measured);
        else failures.push(measured);
      }
    }
  }
  const parts = await runParts(run, failures);
  const { size, rounds, command } = run;
  const times = { startedAt, endedAt: Date.now() };
  return { size, rounds, commit, command, ...times, machine, samples, parts, failures };
}

interface Turn {
  measure: Measure;
  contender: Contender;
  round: number;
}

async function measureOnce(
  { size, rounds, say }: BenchRun,
  servers: Servers,
  { measure, contender, round }: Turn,
): Promise<Sample[] | Failure> {
  const turn = { measure: measure.name, contender: contender.name, round };
  const prefix = `${measure.name} ${round}/${rounds}  ${contender.name.padEnd(18)}`;
  try {
    await using session = await openSession(servers, contender);
    const results = await measure.run(session, SIZES[size]);
    const main = results.map(({ figures }) => writeFigure(figures[measure.mainFigure] ?? Number.NaN));
    say(`${prefix} ${main.join(', ')} ${titleOf(measure.mainFigure)}`);
    return results.map((result) => ({ ...turn, ...result }));
  } catch (error) {
    const message = messageOf(error);
    say(`${prefix} FAILED: ${message}`);
    return { what: measure.name, contender: contender.name, round, message };
  }
}

async function runParts({ parts, ...options }: BenchRun, failures: Failure[]): Promise<RunReport['parts']> {
  const done: RunReport['parts'] = [];
  for (const part of parts) {
    options.say(`${part.name}: ${part.title}`);
    try {
      await part.run(options);
      done.push(part.name);
    } catch (error) {
      failures.push({ what: part.name, message: messageOf(error) });
    }
  }
  return done;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
