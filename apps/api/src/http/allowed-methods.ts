/** Knows which methods the routes have that a path matches. */
export interface AllowedMethods {
  /** Takes note of a route; `url` as routes are written, with `:name` for a segment and `*` for any rest. */
  add(method: string | string[], url: string): void;
  /** Lists the methods of all routes that a path without its query matches, sorted; none where there is no route. */
  of(path: string): string[];
}

export function createAllowedMethods(): AllowedMethods {
  const methodsOf = new Map<string, Set<string>>();
  return {
    add(method, url) {
      const methods = methodsOf.get(url) ?? new Set();
      for (const name of [method].flat()) methods.add(name);
      methodsOf.set(url, methods);
    },
    of(path) {
      const given = path.split('/');
      const matching = [...methodsOf].filter(([url]) => matches(url.split('/'), given));
      return [...new Set(matching.flatMap(([, methods]) => [...methods]))].sort();
    },
  };
}

function matches(pattern: string[], given: string[]): boolean {
  const rest = pattern.indexOf('*');
  if (rest === -1 ? pattern.length !== given.length : given.length <= rest) return false;
  const segments = rest === -1 ? pattern : pattern.slice(0, rest);
  return segments.every((segment, index) => segment.startsWith(':') || segment === given[index]);
}
