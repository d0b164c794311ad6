/** The tables that a live job is in exactly one of. */
export const HOT_TABLES = ['ready', 'blocked', 'due', 'in_flight'] as const;

export type HotTable = (typeof HOT_TABLES)[number];
