/** Where a process can be killed: at a line of its work, not at a random time. */
export const KILL_POINTS = {
  /** The answer of the claim is here, the handler has not started. */
  'after-claim': { statement: /\/\* claim-jobs \*\//, when: 'committed' },
  /** The handler has had its effect; nothing was recorded. It says so itself. */
  'after-effect': undefined,
  'before-commit': { statement: /\/\* write-outcomes \*\//, when: 'asked' },
  /** The statement is on its way: whether it is committed, nobody knows. */
  'during-commit': { statement: /\/\* write-outcomes \*\//, when: 'sent' },
  /** The outcome is committed, the engine does not know yet. */
  'after-commit': { statement: /\/\* write-outcomes \*\//, when: 'committed' },
  /** Jobs are marked as dispatched, the engine does not have them. */
  'after-dispatch': {
    statement: /\/\* (hear-queue|take-jobs|take-limited-jobs) \*\//,
    when: 'committed',
    countsWith: marksJobs,
  },
  'accept-before-commit': { statement: /INSERT INTO jobs/, when: 'asked' },
  /** The job is accepted, the client does not know. */
  'accept-after-commit': { statement: /INSERT INTO jobs/, when: 'committed' },
} as const satisfies Record<string, KillStatement | undefined>;

interface KillStatement {
  statement: RegExp;
  when: 'asked' | 'sent' | 'committed';
  /** Whether the statement, by its answer, did what the point is about; always when left out. */
  countsWith?: (rows: Record<string, unknown>[]) => boolean;
}

/** A statement of a turn that found nothing to do is none. */
function marksJobs(rows: Record<string, unknown>[]): boolean {
  return rows.some(({ marked }) => Array.isArray(marked) && marked.length > 0);
}

export type KillPoint = keyof typeof KILL_POINTS;

/** What the preloaded module is told over the channel to the suite. */
export type ControlMessage = { arm: KillPoint | null } | { shiftClockMs: number };

/** Says that it was done, and what time it is there. */
export interface ControlAnswer {
  now: number;
}

let armed: KillPoint | undefined;

/** From now on the process dies at the first `point` that it reaches; `null` takes that back. */
export function arm(point: KillPoint | null): void {
  armed = point ?? undefined;
}

/** Kills this process, as `kill -9` does, if this is the point that it is to die at. */
export function reachKillPoint(point: KillPoint): void {
  if (armed === point) process.kill(process.pid, 'SIGKILL');
}

/** Looks up whether a statement is the armed point, when, and with what answer. */
export function armedFor(
  statement: string,
): (Required<Pick<KillStatement, 'when' | 'countsWith'>> & { point: KillPoint }) | undefined {
  const where: KillStatement | undefined = armed && KILL_POINTS[armed];
  if (!armed || !where?.statement.test(statement)) return undefined;
  return { point: armed, when: where.when, countsWith: where.countsWith ?? (() => true) };
}
