/** What holds for all routes, in Markdown: it stands at the top of `/docs`, and of docs/api.md. */
export const CONVENTIONS = `**JSON**, in camelCase. Times are RFC 3339 in UTC. Ids say what they are of: \`job_…\`, \`dlq_…\`, \`rep_…\`, \`key_…\`, \`ten_…\`. Fields that a body may not
have are refused, not ignored.

**Authentication.** \`Authorization: Bearer acc_…\`. What a key may do is in its scopes, and each route below names the one that it needs. Another
tenant's things answer \`404\`, as if they were not there.

**Errors** are \`application/problem+json\` (RFC 9457), a \`Problem\`. Act on \`code\`; \`/problems\` explains every
one. All faults of a request are told at once, in \`errors\`.

**Every answer** carries \`X-Request-Id\`, the one that the request came with or a new one, and most of them \`Cache-Control\`. Every route can also answer
\`400\`, \`408\`, \`431\` and \`500\`.

### Paging

A list gives \`limit\` items, 20 unless you say otherwise and 100 at most, in \`data\`, or fewer where they would take more than 2 MiB. \`hasMore\` tells whether others
follow, not the number of items; \`nextCursor\` goes into \`cursor\` as it is to get them. \`Link: <…>; rel="next"\` (RFC 8288) is the same as a URL. What is added meanwhile does not shift the pages.

### Polling

\`ETag\` names the state of a job; it changes with every change that you could see. Send it back as \`If-None-Match\`, and the answer is a \`304\` without a
body for as long as nothing has changed. Until the job is finished \`Retry-After\` tells when it pays to look again, from how fast its queue drains.

### Waiting

\`Prefer: wait=N\` (RFC 7240) holds the answer until the job is finished, N seconds at most. The server has a bound of its own (\`MAX_WAIT_SECONDS\`);
\`Preference-Applied\` tells what was applied. \`respond-async\`, the default, does not wait. What is unknown in \`Prefer\` is ignored.

### Sending again

\`Idempotency-Key\` makes every \`POST\` safe to send again: the same key with the same body does nothing more, and is answered with the status of the first
answer and with what the first made, as it is now, with \`Idempotent-Replayed: true\`. So a \`202\` may show a job that is finished by now. The same key with
another body or another path is \`422\` \`idempotency_key_reused\`. Requests with one key that arrive at the same time do it once; one that would have to wait for
too long is a \`409\` \`idempotency_key_in_use\`. What was refused or failed has done nothing and is not remembered: send it again, or another body. A key is 1 to
255 printable ASCII characters, bare or in double quotes. It is kept for 24 hours, and longer while the job that was submitted with it is not finished.

### Compression

\`Accept-Encoding: gzip\` has what is read compressed where it is larger than 4 kB, unless the server is busy with others. \`ETag\` is a weak one then (\`W/"…"\`); send it back as it is.

### Parts

\`Range\` is not there yet: under \`/v1\` it is ignored, and every answer is whole.

### Tracing

\`traceparent\` and \`tracestate\` (W3C Trace Context) of the submitting request are kept with the job, and go with it to its handler and its webhooks.
A job shows its \`traceId\`.`;
