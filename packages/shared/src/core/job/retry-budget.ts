/** Retries may be this share of the first attempts of late (Google SRE book, "Handling Overload": 10 %). */
const SHARE_OF_FIRST_ATTEMPTS = 0.1;
/** So many may come at once, and in a minute, in any case: what runs once an hour could never be retried otherwise. */
const FREE_RETRIES = 20;
const FREE_PER_SECOND = FREE_RETRIES / 60;
/** Nobody waits for longer: by then what they call may be back, or else so much fails that it matters no more. */
const MOST_WAIT_MS = 600_000;
/** What is of late: this span of time and the one before. */
const SPAN_MS = 30_000;

/**
 * The retries of jobs that are alike, in a line: it moves as fast as retries may come. When all of them fail, retries would multiply the
 * load on what fails; none is lost for that, they only come later. All times are in milliseconds, by any clock that does not go back.
 */
export class RetryBudget {
  #beganMs: number | undefined;
  #span = Number.NEGATIVE_INFINITY;
  #firstInSpan = 0;
  #firstBefore = 0;
  /** How many stand in the line, and since when. */
  #standing = 0;
  #sinceMs = 0;

  countFirst(nowMs: number): void {
    this.#follow(nowMs);
    this.#firstInSpan += 1;
  }

  /** In how many milliseconds another retry may come. */
  nextInMs(nowMs: number): number {
    const perSecond = this.#perSecond(nowMs);
    const gone = (perSecond * (nowMs - this.#sinceMs)) / 1_000;
    const most = FREE_RETRIES + (perSecond * MOST_WAIT_MS) / 1_000;
    this.#standing = Math.min(most, Math.max(0, this.#standing - gone) + 1);
    this.#sinceMs = nowMs;
    return (Math.max(0, this.#standing - FREE_RETRIES) / perSecond) * 1_000;
  }

  #perSecond(nowMs: number): number {
    this.#follow(nowMs);
    const knownMs = nowMs - (this.#beganMs ?? nowMs);
    const countedMs = Math.min(knownMs, SPAN_MS + nowMs - this.#span * SPAN_MS);
    const first = (this.#firstBefore + this.#firstInSpan) / Math.max(1, countedMs / 1_000);
    return Math.max(FREE_PER_SECOND, SHARE_OF_FIRST_ATTEMPTS * first);
  }

  #follow(nowMs: number): void {
    this.#beganMs ??= nowMs;
    const span = Math.floor(nowMs / SPAN_MS);
    if (span === this.#span) return;
    this.#firstBefore = span === this.#span + 1 ? this.#firstInSpan : 0;
    this.#firstInSpan = 0;
    this.#span = span;
  }
}
