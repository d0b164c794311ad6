/**
 * What a program and its libraries need of the machine, and no secret is kept in. Proxies are not among it, as their URLs carry
 * passwords, nor is `NODE_OPTIONS`, which may hold anything: a handler that needs them has them named.
 */
const OF_THE_MACHINE = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'NODE_ENV',
  'NODE_COMPILE_CACHE',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
];

/** Where the names are that isolated handlers may see, with commas between them. */
const NAMES_SETTING = 'HANDLER_ENV';

/**
 * Picks what the process of an isolated handler sees of the worker's environment: what the machine needs, and what
 * `HANDLER_ENV` names. A handler that is not isolated sees all that the worker sees, wherever it runs.
 */
export function childEnvironment(environment: NodeJS.ProcessEnv, isIsolated: boolean): NodeJS.ProcessEnv {
  if (!isIsolated) return environment;
  const named = (environment[NAMES_SETTING] ?? '').split(',').map((name) => name.trim());
  const names = new Set([...OF_THE_MACHINE, ...named]);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => names.has(name)));
}
