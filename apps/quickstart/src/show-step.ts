/** Says that a step has begun and, when it is done, how long it took: other lines may come between. */
export async function showStep<T>(name: string, step: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  process.stdout.write(`  ${name} ...\n`);
  const result = await step();
  process.stdout.write(`  ${name}: ready after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
  return result;
}
