import type { Api } from '../contenders/contender.ts';
import type { BodyOptions } from '../payload.ts';
import { spawnProgram } from '../world/spawn-program.ts';

type Target = Pick<Api, 'url' | 'headers'> & Omit<BodyOptions, 'noteStart'>;

/** Requests that follow the answers to others; for so long, or so many of them. */
export type ClosedLoop = Target & { connections: number } & ({ seconds: number } | { jobs: number });

/** Requests that are sent when they are due. */
export type OpenLoop = Target & { perSecond: number; seconds: number };

/** At most `count` jobs one by one, and no new one after so many seconds. */
export type PickUps = Pick<Api, 'url' | 'headers'> & { count: number; seconds: number; folder: string };

interface Answers {
  /** When the first request was sent, or due: milliseconds since 1970. */
  startedAt: number;
  accepted: number;
  /** Answered with anything else than success, or not at all. */
  refused: number;
  p50Ms: number;
  p99Ms: number;
}

export interface ClosedLoopFigures extends Answers {
  acceptedPerSecond: number;
}

export interface OpenLoopFigures extends Answers {
  /** Still without an answer some seconds after the last one was due. */
  unanswered: number;
}

export interface PickUpFigures {
  jobs: number;
  p50Ms: number;
  p99Ms: number;
}

/** Throws when a single request was refused: speed by refusing is none. */
export async function runClosedLoop(loop: ClosedLoop): Promise<ClosedLoopFigures> {
  return insistOnAnswers(await runLoad<ClosedLoopFigures>('closed-loop-process.ts', loop));
}

/** Throws when a single request was refused; those without an answer count in the latency. */
export async function runOpenLoop(loop: OpenLoop): Promise<OpenLoopFigures> {
  return insistOnAnswers(await runLoad<OpenLoopFigures>('open-loop-process.ts', loop));
}

export async function runPickUps(pickUps: PickUps): Promise<PickUpFigures> {
  return await runLoad<PickUpFigures>('pick-up-process.ts', pickUps);
}

async function runLoad<Figures>(file: string, spec: object): Promise<Figures> {
  await using client = spawnProgram(`bench/src/load/${file}`, { args: [JSON.stringify(spec)] });
  const { code } = await client.exited;
  const line = client.lines.findLast((candidate) => candidate.startsWith('{'));
  if (code !== 0 || line === undefined) throw new Error(`${file} failed:\n${client.lines.join('\n')}`);
  return JSON.parse(line);
}

function insistOnAnswers<Figures extends Answers>(figures: Figures): Figures {
  if (figures.refused > 0)
    throw new Error(`${figures.refused} of ${figures.refused + figures.accepted} requests were refused.`);
  return figures;
}
