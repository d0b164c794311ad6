interface Entry {
  name: string;
  data: Record<string, unknown> | undefined;
}

/** Names an entry by its type and its job: the heading is the entry's own id, and people search for the job's. */
export function entryName({ name, data }: Entry): string {
  return `${name} ${data?.jobId ?? ''}`;
}

/**
 * Puts what people look for first, as BullMQ's Postgres engine keeps no order of keys, and leaves out the stack,
 * which has a tab of its own.
 */
export function entryData(data: Entry['data']): unknown {
  if (!data) return data;
  const { jobId, payload, error, ...rest } = data;
  if (typeof error !== 'object' || error === null) return data;
  const { stack: _, ...shownError } = error as { stack?: string };
  return { jobId, payload, error: shownError, ...rest };
}
