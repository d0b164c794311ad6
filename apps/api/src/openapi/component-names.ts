/** Gives out the names of components: made of the letters that OpenAPI allows, and no two alike. */
export interface ComponentNames {
  take(wish: string): string;
}

/**
 * Remembers the names that are taken. Names that differ in case or punctuation alone count as the same, because
 * generators turn `Payload.a-b` and `Payload.a.b` into one identifier.
 */
export function createComponentNames(taken: Iterable<string>): ComponentNames {
  const identifiers = new Set([...taken].map(identifierOf));
  return {
    take(wish) {
      const name = wish.replace(/[^A-Za-z0-9._-]/g, '_');
      let free = name;
      for (let n = 2; identifiers.has(identifierOf(free)); n += 1) free = `${name}.v${n}`;
      identifiers.add(identifierOf(free));
      return free;
    },
  };
}

function identifierOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
