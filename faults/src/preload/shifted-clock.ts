const RealDate = Date;
let shiftMs = 0;

/** Stands in for `Date`: the time of now is off by the shift, everything else is as it was. */
class ShiftedDate extends RealDate {
  constructor(...args: [] | [number]) {
    if (args.length === 0) super(RealDate.now() + shiftMs);
    else super(...args);
  }

  /** Dates that were made before the shift are dates too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof RealDate;
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
}

/** Moves this process's wall clock, as a wrong time server does: at once, and `performance.now()` not at all. */
export function shiftClock(byMs: number): void {
  shiftMs = byMs;
  globalThis.Date = (byMs === 0 ? RealDate : ShiftedDate) as DateConstructor;
}
