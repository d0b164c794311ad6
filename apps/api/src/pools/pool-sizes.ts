/** What connections to Postgres are for. Those of one are for nothing else, so that none waits for another. */
export const GROUPS = ['submit', 'read', 'admin', 'admission', 'health'] as const;

export type Group = (typeof GROUPS)[number];

/** Fewer would not keep the groups apart; with more a server is busier with its connections than with what is asked of it. */
const CONNECTIONS = { least: 20, most: 40 };

/**
 * Answers how many connections one of so many processes holds: its part of two for each core, one of which waits for the disk or
 * for us while the other works, and one more.
 */
export function connectionsFor(cores: number, processes: number): number {
  const part = Math.ceil((2 * cores + 1) / processes);
  return Math.min(CONNECTIONS.most, Math.max(CONNECTIONS.least, part));
}

/** With fewer connections each of what is small has one. */
const FEW = 10;
const SOME = 16;

/** Divides connections among the groups, of which each has one at least: most of them to those that there is most to do for. */
export function divide(connections: number): Record<Group, number> {
  const small = connections < FEW ? 1 : connections < SOME ? 2 : 3;
  const health = 1;
  const rest = connections - 2 * small - health;
  return { submit: Math.floor(rest / 2), read: Math.ceil(rest / 2), admin: small, admission: small, health };
}
