import type { Draft } from './draft.ts';

/** Writes path and query as they go out. */
export function targetOf({ operation, path, query }: Pick<Draft, 'operation' | 'path' | 'query'>): string {
  const filled = operation.path.replace(/\{([^}]+)\}/g, (_, name: string) => path[name] ?? '');
  if (query.length === 0) return filled;
  return `${filled}?${query.map(([name, text]) => (text === '' ? name : `${name}=${text}`)).join('&')}`;
}
