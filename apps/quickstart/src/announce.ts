/** What somebody needs to use the installation that has just started. */
export interface Announcement {
  url: string;
  apiKey: string;
  adminPassword: string;
  /** What receivers check the signatures of webhooks with. */
  webhookSecret: string;
  /** The handlers are the examples, and not the user's own. */
  hasExamples: boolean;
}

/**
 * Writes the page that the quickstart ends its start with: where everything is, and two commands to paste, each of
 * which works by itself, in any shell, with nothing but curl and grep.
 */
export function announce({ url, apiKey, adminPassword, webhookSecret, hasExamples }: Announcement): string {
  const job = JSON.stringify(
    hasExamples ? EXAMPLE_JOB : { type: 'http.request', payload: { url: `${url}/livez` } },
  );
  const authorization = `-H 'Authorization: Bearer ${apiKey}'`;
  return `
  Accepted is ready.

  API          ${url}
  Docs         ${url}/docs
  Bull Board   ${url}/admin/queues   (password: ${adminPassword})
  API key      ${apiKey}
  Webhooks     signed with ${webhookSecret}

Submit a job:

curl -sS -w '\\n' ${url}/v1/jobs ${authorization} \\
  -H 'Content-Type: application/json' -d '${job}'

Read its result:

curl -sS -w '\\n' -H 'Prefer: wait=10' ${authorization} \\
  ${url}/v1/jobs/$(curl -sS ${authorization} '${url}/v1/jobs?limit=1' | grep -o 'job_[0-9a-z]*' | head -n 1)

Ctrl-C ends everything; the next start has the data again.
`;
}

const EXAMPLE_JOB = {
  type: 'csv.import',
  payload: { csv: 'name,email\nAda,ada@example.com\nGrace,grace@example.com' },
};
