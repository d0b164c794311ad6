/** Times are milliseconds since 1970. */
export interface Prediction {
  tenantId: string;
  id: string;
  queue: string;
  type: string;
  toldAtMs: number;
  /** How long the job was to wait from then on. */
  waitMs: number;
}

/** What became of a job. */
export interface FirstStart {
  id: string;
  /** `null`: it was not started yet, or never is. */
  startedAtMs: number | null;
  /** Whether it ended without: it was canceled, or expired. */
  isOver: boolean;
}

/** Some of the predictions that a process gave, until it is known how far off they were. */
export interface PredictionSamples {
  /** Remembers it, if it is the turn of one. */
  note(prediction: Prediction): boolean;
  all(): Iterable<Prediction>;
  isEmpty(): boolean;
  /** Those whose jobs should have been started, and that nobody has looked at of late. */
  due(nowMs: number): Prediction[];
  /** Hears what became of those that were due, and answers by which factors they were off; forgets those that are known. */
  settle(due: readonly Prediction[], starts: readonly FirstStart[], nowMs: number): number[];
  forget({ id }: Pick<Prediction, 'id'>): void;
}

/** One is remembered in so many milliseconds, and so many at once. */
const EVERY_MS = 50;
const MOST = 1_000;
/** Of shorter waits nobody is told: where both are shorter nothing was foreseen. */
const LEAST_MS = 500;
/** Who has not been started after so many times the wait is not waited for. */
const MOST_RATIO = 10;
/** A job that is late is looked at again when it has waited for so much longer. */
const AGAIN_AFTER = 0.1;

/** By which factor a prediction was off, whichever of the two was longer; `undefined` where nothing was foreseen. */
export function errorRatio(predictedMs: number, realMs: number): number | undefined {
  if (predictedMs < LEAST_MS && realMs < LEAST_MS) return undefined;
  const [predicted, real] = [Math.max(LEAST_MS, predictedMs), Math.max(LEAST_MS, realMs)];
  return Math.min(MOST_RATIO, Math.max(predicted / real, real / predicted));
}

export function createPredictionSamples(): PredictionSamples {
  const open = new Map<string, Prediction & { askAtMs: number }>();
  let nextAtMs = Number.NEGATIVE_INFINITY;

  /** Answers the error of one that is known; `undefined` while it is not, `null` where it does not count. */
  function judge({ toldAtMs, waitMs }: Prediction, start: FirstStart | undefined, nowMs: number) {
    if (!start || start.isOver) return null;
    if (start.startedAtMs !== null) return errorRatio(waitMs, start.startedAtMs - toldAtMs) ?? null;
    const isLost = nowMs - toldAtMs > MOST_RATIO * Math.max(LEAST_MS, waitMs);
    return isLost ? MOST_RATIO : undefined;
  }

  return {
    note(prediction) {
      const { id, toldAtMs, waitMs } = prediction;
      if (toldAtMs < nextAtMs || open.size >= MOST || open.has(id)) return false;
      nextAtMs = toldAtMs + EVERY_MS;
      open.set(id, { ...prediction, askAtMs: toldAtMs + waitMs });
      return true;
    },
    all: () => open.values(),
    isEmpty: () => open.size === 0,
    due: (nowMs) => [...open.values()].filter(({ askAtMs }) => askAtMs <= nowMs),
    settle(due, starts, nowMs) {
      const startOf = new Map(starts.map((start) => [start.id, start]));
      return due.flatMap((prediction) => {
        const sample = open.get(prediction.id);
        const ratio = judge(prediction, startOf.get(prediction.id), nowMs);
        if (ratio !== undefined) open.delete(prediction.id);
        else if (sample) sample.askAtMs = nowMs + (nowMs - prediction.toldAtMs) * AGAIN_AFTER;
        return ratio ?? [];
      });
    },
    forget: ({ id }) => void open.delete(id),
  };
}
