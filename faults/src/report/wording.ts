/** Writes a number as people read it: `12,345`, `0.25`. */
export function writeNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** Writes a duration in the unit that suits it: `812 ms`, `3.4 s`, `9:07 min`. */
export function writeDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`;
}

/** Writes a figure of a verdict with its name: `lost 0`, `recovery p99 812 ms`. */
export function writeFigure(name: string, value: number): string {
  const isDuration = name.endsWith('Ms');
  const words = (isDuration ? name.slice(0, -2) : name)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/([a-z])(9)$/, '$1 -$2')
    .toLowerCase();
  return `${words} ${isDuration ? writeDuration(value) : writeNumber(value)}`;
}
