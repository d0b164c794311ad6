/** What holds for all routes, in Markdown: it stands at the top of `/docs`, and of docs/api.md. */
export const CONVENTIONS = `**JSON**, in camelCase. Times are RFC 3339 in UTC. Ids say what they are of: \`job_…\`, \`dlq_…\`, \`rep_…\`, \`key_…\`. Fields that a body may not
have are refused, not ignored.

**Authentication.** \`Authorization: Bearer acc_…\`. What a key may do is in its scopes, and each route below names the one that it needs. Another
tenant's things answer \`404\`, as if they were not there.

**Errors** are \`application/problem+json\` (RFC 9457), a \`Problem\`. Act on \`code\`; \`/problems\` explains every
one. All faults of a request are told at once, in \`errors\`.

**Every answer** carries \`X-Request-Id\`, the one that the request came with or a new one, and most of them \`Cache-Control\`. Every route can also answer
\`400\`, \`408\`, \`431\` and \`500\`.

### Paging

A list gives \`limit\` items, 20 unless you say otherwise and 100 at most, in \`data\`. \`hasMore\` tells whether others follow; \`nextCursor\` goes into
\`cursor\` as it is to get them. \`Link: <…>; rel="next"\` (RFC 8288) is the same as a URL. What is added meanwhile does not shift the pages.

### Polling

\`ETag\` names the state of a job; it changes with every change that you could see. Send it back as \`If-None-Match\`, and the answer is a \`304\` without a
body for as long as nothing has changed. Until the job is finished \`Retry-After\` tells when it pays to look again, from how fast its queue drains.

### Waiting

\`Prefer: wait=N\` (RFC 7240) holds the answer until the job is finished, N seconds at most. The server has a bound of its own (\`MAX_WAIT_SECONDS\`);
\`Preference-Applied\` tells what was applied. \`respond-async\`, the default, does not wait. What is unknown in \`Prefer\` is ignored.

### Sending again

\`Idempotency-Key\` makes a \`POST\` of a job safe to send again: the same key with the same body is answered with the job that the first made, with
\`Idempotent-Replayed: true\`. The same key with another body is \`422\` \`idempotency_key_reused\`. A key is 1 to 255 printable ASCII characters, bare or
in double quotes, and is kept at least as long as its job. Requests with one key that arrive at the same time make one job.

### Tracing

\`traceparent\` and \`tracestate\` (W3C Trace Context) of the submitting request are kept with the job, and go with it to its handler and its webhooks.
A job shows its \`traceId\`.`;
