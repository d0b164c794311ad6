// Preloaded into every process of a contender and every client: none may outlive the run, even when that is killed.
const parent = process.ppid;
const LOOK_EVERY_MS = 1_000;

setInterval(() => {
  if (process.ppid !== parent) process.exit(1);
}, LOOK_EVERY_MS).unref();
