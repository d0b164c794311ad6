import type { Rules } from '@accepted/shared/ledger/limits/rules';

/** Shows the rules of a queue, a job type or a tenant; for one without any nothing is laid down. */
export function rulesView(rules: Rules | undefined) {
  return {
    concurrency: rules?.concurrency ?? null,
    pausedAt: rules?.pausedAt?.toISOString() ?? null,
  };
}
