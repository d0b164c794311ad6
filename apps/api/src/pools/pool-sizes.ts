/** What connections to Postgres are for. Those of one are for nothing else, so that none waits for another. */
export const GROUPS = ['submit', 'read', 'admin', 'admission', 'health'] as const;

export type Group = (typeof GROUPS)[number];

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
