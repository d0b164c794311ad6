import { readConfig } from './config.ts';

const TIMEOUT_MS = 3_000;

/** Exits with 0 when the API on this host says that it is ready, else with 1 and a sentence: a health check to run beside it. */
async function main(): Promise<void> {
  const { HOST, PORT } = readConfig();
  const host = ANY_ADDRESS[HOST] ?? HOST;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${PORT}/readyz`;
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}

/** What listens on every address is asked on the loopback one. */
const ANY_ADDRESS: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
});
