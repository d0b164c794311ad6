// Preloaded with `--import` into a program that must not outlive the one that started it: when that is gone, even by
// kill -9, the channel between the two closes and the program gets the SIGTERM that it ends in order on.
import { isMainThread } from 'node:worker_threads';

if (isMainThread && process.channel) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  // Listening must not keep a program alive that is done.
  process.channel.unref();
}
