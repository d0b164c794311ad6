// Loaded into a process before its program: prints, at each SIGCONT, how many bytes were allocated since the last one.
// The signals for users end an API in order.
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { allocatedBytes } from './allocations.ts';

const usedNow = () => getHeapStatistics().used_heap_size;

let profiler = new GCProfiler();
let usedAtStart = usedNow();
profiler.start();

process.on('SIGCONT', () => {
  const collections = profiler.stop().statistics.map(({ beforeGC, afterGC }) => ({
    usedBefore: beforeGC.heapStatistics.usedHeapSize,
    usedAfter: afterGC.heapStatistics.usedHeapSize,
  }));
  process.stdout.write(`allocated ${allocatedBytes(usedAtStart, collections, usedNow())}\n`);
  profiler = new GCProfiler();
  usedAtStart = usedNow();
  profiler.start();
});
