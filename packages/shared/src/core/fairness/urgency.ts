/** So many jobs of a priority go before one of the next: the low ones of a tenant wait, but do not starve. */
const GO_BEFORE = 8;

/**
 * In which order a tenant's priorities have their turns: weighted fair queueing, by the number of jobs. Of a priority that has waited
 * since before the others, one goes for eight of the next more urgent one, 64 of the one above that, and so on.
 */
export interface Urgency {
  /** Says that jobs of a priority wait from now on. */
  begin(priority: number): void;
  /** Answers whose turn it is of those that wait. */
  next(priorities: Iterable<number>): number | undefined;
  take(priority: number): void;
  /** Says that of the jobs which were taken so many did not go. */
  giveBack(priority: number, jobs: number): void;
}

/** How many jobs of a priority go for each of another one, while both wait. */
export function goBefore(priority: number, other: number): number {
  return GO_BEFORE ** (other - priority);
}

export function createUrgency(): Urgency {
  /** How far each has come: a job of a priority takes it further, the less urgent the further. */
  const tags = new Map<number, number>();
  let present = 0;

  const tagOf = (priority: number) => tags.get(priority) ?? present;
  const after = (priority: number) => tagOf(priority) + GO_BEFORE ** priority;

  return {
    begin(priority) {
      tags.set(priority, Math.max(tagOf(priority), present));
    },
    next(priorities) {
      let next: number | undefined;
      for (const priority of priorities)
        if (
          next === undefined ||
          after(priority) < after(next) ||
          (after(priority) === after(next) && priority < next)
        )
          next = priority;
      return next;
    },
    take(priority) {
      present = Math.max(present, tagOf(priority));
      tags.set(priority, after(priority));
    },
    giveBack(priority, jobs) {
      tags.set(priority, tagOf(priority) - jobs * GO_BEFORE ** priority);
    },
  };
}
