import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface ComposeService {
  image: string;
  build?: { context: string; target: string };
  command?: string[];
  environment?: Record<string, string>;
  healthcheck?: { test: string[] };
  restart?: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  depends_on?: Record<string, { condition: string }>;
  deploy?: { replicas?: number; resources?: { limits?: { cpus?: string; memory?: string } } };
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  volumes: Record<string, unknown>;
}

/** Reads docker-compose.yml, its variables still as they are written. */
export function readComposeFile(): ComposeFile {
  return parse(readFileSync(`${ROOT}docker-compose.yml`, 'utf8'), { merge: true });
}

/** Fills `${NAME}`, `${NAME:-default}` and `${NAME:?message}` in, as Compose does; throws when a needed one is not set. */
function interpolate(text: string, values: Record<string, string>): string {
  return text.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind?: string, rest = '') => {
    const value = values[name];
    if (value) return value;
    if (kind === '-') return rest;
    throw new Error(`${name} ${kind === '?' ? rest : 'is not set'}`);
  });
}

/** Gives the environment of a service, filled in. */
export function environmentOf(
  service: ComposeService,
  values: Record<string, string>,
): Record<string, string> {
  const entries = Object.entries(service.environment ?? {});
  return Object.fromEntries(entries.map(([name, text]) => [name, interpolate(text, values)]));
}
