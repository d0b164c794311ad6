/** How the handlers of a type usually do. */
export interface Usual {
  /** How long they take, of as many jobs as are judged at once. */
  meanMs: number;
  medianMs: number;
  /** How many of them run at once. */
  running: number;
  /** How often they are found hanging, from 0 to 1. */
  hanging: number;
}

/** What shows while jobs of a type are in flight. */
export interface SeenPace {
  /** Whether a worker says that its handlers hang. */
  isHanging: boolean;
  /** Whether that is usual, if it is: of a type that is held down it is not. */
  learns: boolean;
}

/** Judges whether the handlers of a type do as usual, by those that have ended, and where none has by whether they hang. */
export interface Pace {
  /** Notes that so many have ended, which ran for so long together. */
  land(jobs: number, ranMs: number, nowMs: number): void;
  /** Answers nothing while there is too little to judge. */
  judge(seen: SeenPace, nowMs: number): 'usual' | 'slow' | undefined;
  usual(): Usual;
  /** Takes for usual from now on how slow they were when that was judged last. */
  accept(): void;
}

/** So often it is judged, by so many jobs at least; by fewer where no more end in a second. */
const JUDGED_EVERY_MS = 250;
const ENOUGH_JOBS = 5;
const MOST_WAIT_MS = 1_000;
/** Slow are those that take so many times as long as usual, and no less than that: a busy processor takes as much from all. */
const TIMES_SLOWER = 5;
const LEAST_SLOW_MS = 100;
/** Before so many judgements nobody knows what is usual. */
const KNOWN_FROM = 10;
/** Then it follows what is longer within a minute, and forgets that more slowly: who fails quickly for a while is not slow afterwards. */
const RISES_OVER_MS = 60_000;
const FALLS_OVER_MS = 900_000;
/** Of a type of which handlers hang more often it says nothing that they do. */
const SELDOM = 0.1;

const UNKNOWN: Usual = { meanMs: 0, medianMs: 0, running: 0, hanging: 0 };

/** Begins with what was usual, where that is known. */
export function createPace(known: Usual | undefined, nowMs: number): Pace {
  let usual = { ...(known ?? UNKNOWN) };
  let slowest: Partial<Usual> = {};
  let landed: Landed[] = [];
  let landedFromMs = nowMs;
  let landedAtMs = Number.NEGATIVE_INFINITY;
  let judgedAtMs = nowMs;
  /** How often that was judged by jobs that had ended, and in all. */
  const judged = known ? { landed: KNOWN_FROM, all: KNOWN_FROM } : { landed: 0, all: 0 };

  function isDue(isHanging: boolean, nowMs: number): boolean {
    if (landed.length > 0) {
      const waitedMs = nowMs - landedFromMs;
      return waitedMs >= (jobsIn(landed) < ENOUGH_JOBS ? MOST_WAIT_MS : JUDGED_EVERY_MS);
    }
    const silentMs = nowMs - landedAtMs;
    const isSilent = silentMs >= Math.max(JUDGED_EVERY_MS, TIMES_SLOWER * usual.meanMs);
    return isHanging && isSilent && nowMs - judgedAtMs >= JUDGED_EVERY_MS;
  }

  function isSlow({ meanMs, medianMs }: Pick<Usual, 'meanMs' | 'medianMs'>): boolean {
    const isSlower = (ms: number, usualMs: number) => ms > Math.max(TIMES_SLOWER * usualMs, LEAST_SLOW_MS);
    return isSlower(meanMs, usual.meanMs) && isSlower(medianMs, usual.medianMs);
  }

  function learn(now: Partial<Usual>, elapsedMs: number): void {
    const followed = (from: number, to: number | undefined, times: number) => {
      if (to === undefined) return from;
      const overMs = to > from ? RISES_OVER_MS : FALLS_OVER_MS;
      const weight = times < KNOWN_FROM ? 1 / (times + 1) : Math.min(elapsedMs, MOST_WAIT_MS) / overMs;
      return from + weight * (to - from);
    };
    usual = {
      meanMs: followed(usual.meanMs, now.meanMs, judged.landed),
      medianMs: followed(usual.medianMs, now.medianMs, judged.landed),
      running: followed(usual.running, now.running, judged.landed),
      hanging: followed(usual.hanging, now.hanging, judged.all),
    };
    judged.all += 1;
    if (now.meanMs !== undefined) judged.landed += 1;
  }

  return {
    land(jobs, ranMs, nowMs) {
      if (landed.length === 0) landedFromMs = nowMs;
      landed.push({ jobs, ms: ranMs / jobs });
      landedAtMs = nowMs;
    },
    judge({ isHanging, learns }, nowMs) {
      if (!isDue(isHanging, nowMs)) return undefined;
      const elapsedMs = nowMs - judgedAtMs;
      const times = landed.length === 0 ? undefined : timesOf(landed, elapsedMs);
      const isKnown = judged.landed >= KNOWN_FROM;
      const isJudgedSlow = isKnown && (times ? isSlow(times) : usual.hanging < SELDOM);
      if (learns) learn({ ...times, hanging: Number(isHanging) }, elapsedMs);
      [landed, judgedAtMs] = [[], nowMs];
      if (!isJudgedSlow) {
        if (times) slowest = {};
        return times && 'usual';
      }
      slowest = { ...slowest, ...(times ?? { hanging: 1 }) };
      return 'slow';
    },
    usual: () => usual,
    accept() {
      usual = { ...usual, ...slowest };
    },
  };
}

/** Jobs that ended together, and how long each of them ran. */
interface Landed {
  jobs: number;
  ms: number;
}

const jobsIn = (landed: readonly Landed[]) => landed.reduce((sum, { jobs }) => sum + jobs, 0);

function timesOf(landed: readonly Landed[], elapsedMs: number): Omit<Usual, 'hanging'> {
  const ranMs = landed.reduce((sum, { jobs, ms }) => sum + jobs * ms, 0);
  return {
    meanMs: ranMs / jobsIn(landed),
    medianMs: medianOf(landed),
    running: ranMs / Math.max(1, elapsedMs),
  };
}

function medianOf(landed: readonly Landed[]): number {
  let left = jobsIn(landed) / 2;
  for (const { jobs, ms } of landed.toSorted((one, other) => one.ms - other.ms)) {
    left -= jobs;
    if (left <= 0) return ms;
  }
  return 0;
}
