import { workerData } from 'node:worker_threads';

/** How often a handler process looks whether its worker still lives. */
const WATCH_MS = 1_000;

// Orphans are handed to another parent: then nobody waits for the result, and nobody would end this process.
setInterval(() => {
  if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL');
}, WATCH_MS);
