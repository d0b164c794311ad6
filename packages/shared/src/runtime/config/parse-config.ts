import type { z } from 'zod';

declare module 'zod/v4/core' {
  interface GlobalMeta {
    /** What a setting has to be, to finish the sentence "expected …". */
    expected?: string;
    /** A secret's value is never shown. */
    secret?: boolean;
  }
}

/** How a program ends that cannot start until somebody changes something: starting it again would be no use (`sysexits.h`). */
export const EXIT_MISCONFIGURED = 78;

/** One setting that is missing or wrong; `value` is fit to be shown. */
export interface ConfigFault {
  name: string;
  value: string;
  expected: string;
}

/** Lists every fault of the environment at once, one a line, fit for a terminal. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map(({ name, value, expected }) => `  ${name} is ${value}: expected ${expected}`);
    super(`The configuration is wrong, see .env.example:\n${lines.join('\n')}`);
    this.faults = faults;
  }
}

/**
 * Reads an app's settings from the environment: checked, converted, with defaults, frozen. Throws a `ConfigError` that
 * names all faults. A variable that is set to nothing counts as not set, as `NAME=` in an env file means it.
 *
 * The `config.ts` of an app exports its schema as `configSchema`, which a test compares with `.env.example`, and
 * nothing else reads `process.env`.
 */
export function parseConfig<Schema extends z.ZodObject>(
  schema: Schema,
  env: Record<string, string | undefined>,
): Readonly<z.output<Schema>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value));
  const parsed = schema.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data);
  const issues = new Map(parsed.error.issues.map((issue) => [String(issue.path[0] ?? ''), issue]));
  throw new ConfigError([...issues].map(([name, issue]) => describeFault(schema, name, given[name], issue)));
}

/** What settings have to be together is said by the rule itself, as `params.expected` of its issue. */
function describeFault(
  schema: z.ZodObject,
  name: string,
  value: string | undefined,
  issue: z.core.$ZodIssue,
): ConfigFault {
  const meta = schema.shape[name]?.meta();
  const said = issue.code === 'custom' ? issue.params?.expected : undefined;
  const expected = String(said ?? meta?.expected ?? 'another value');
  return { name, value: redact(value, meta?.secret === true), expected };
}

function redact(value: string | undefined, secret: boolean): string {
  if (value === undefined) return 'not set';
  if (secret) return 'set, but its value is not shown';
  // A URL may carry a password, and a broken one may carry it anywhere before the `@`.
  const shown = value.replace(/\/\/.*@/s, '//***@').slice(0, 80);
  return JSON.stringify(shown);
}
