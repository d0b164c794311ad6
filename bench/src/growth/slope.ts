/** A value at a time, in milliseconds since any moment. */
export interface Sample {
  atMs: number;
  value: number;
}

/** The straight line of least squares through samples. */
export interface Slope {
  perHour: number;
  /** The standard error of `perHour`: if samples scatter by chance, the truth is within two of them to either side. */
  standardErrorPerHour: number;
}

const HOUR_MS = 3_600_000;

/** Fits a line; `undefined` for less than three samples, whose scatter says nothing. */
export function fitSlope(samples: Sample[]): Slope | undefined {
  if (samples.length < 3) return undefined;
  const points = samples.map(({ atMs, value }) => ({ x: atMs / HOUR_MS, y: value }));
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const spread = sum(points.map(({ x }) => (x - meanX) ** 2));
  const perHour = sum(points.map(({ x, y }) => (x - meanX) * (y - meanY))) / spread;
  const residuals = sum(points.map(({ x, y }) => (y - meanY - perHour * (x - meanX)) ** 2));
  return { perHour, standardErrorPerHour: Math.sqrt(residuals / (points.length - 2) / spread) };
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: number[]): number {
  return sum(values) / values.length;
}
