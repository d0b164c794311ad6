/** What somebody needs to use the installation that has just started. */
export interface Announcement {
  url: string;
  apiKey: string;
  adminPassword: string;
  /** The handlers are the examples, and not the user's own. */
  hasExamples: boolean;
}

/** Writes the page that the quickstart ends its start with: where everything is, and two commands to paste. */
export function announce({ url, apiKey, adminPassword, hasExamples }: Announcement): string {
  const job = JSON.stringify(
    hasExamples ? EXAMPLE_JOB : { type: 'http.request', payload: { url: `${url}/livez` } },
  );
  return `
  Accepted is ready.

  API          ${url}
  Docs         ${url}/docs
  Bull Board   ${url}/admin/queues   (password: ${adminPassword})
  API key      ${apiKey}

Submit a job:

JOB=$(curl -sS ${url}/v1/jobs -H 'Authorization: Bearer ${apiKey}' \\
  -H 'Content-Type: application/json' -d '${job}' \\
  | tee /dev/stderr | grep -o 'job_[0-9a-z]*' | head -n 1)

Read its result:

curl -sS -H 'Authorization: Bearer ${apiKey}' -H 'Prefer: wait=10' ${url}/v1/jobs/$JOB

Ctrl-C ends everything; the data stay in .accepted/.
`;
}

const EXAMPLE_JOB = {
  type: 'csv.import',
  payload: { csv: 'name,email\nAda,ada@example.com\nGrace,grace@example.com' },
};
