import { createServer } from 'node:http';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

// Preloaded into the API: measures how much processor time one turn of its event loop takes, from `/begin` to `/end`. It is asked
// by way of a thread of its own, so that asking costs the event loop next to nothing, and what else the machine does counts
// for nothing.

const port = process.env.HOLD_METER_PORT;
const isOwnThread = (workerData as { isHoldMeter?: boolean } | null)?.isHoldMeter === true;

if (isOwnThread) answerQuestions();
else if (isMainThread) measureHere();

function measureHere(): void {
  const file = new URL(import.meta.url);
  const thread = new Worker(file, { workerData: { isHoldMeter: true }, execArgv: [] });
  let isMeasuring = false;
  let worstMs = 0;
  let before = process.threadCpuUsage();
  const look = () => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    worstMs = Math.max(worstMs, (user + system) / 1_000);
    if (isMeasuring) setImmediate(look);
  };
  thread.on('message', (word) => {
    if (word === 'begin') {
      isMeasuring = true;
      worstMs = 0;
      before = process.threadCpuUsage();
      setImmediate(look);
      thread.postMessage(0);
    } else {
      isMeasuring = false;
      look();
      thread.postMessage(worstMs);
    }
  });
  thread.unref();
}

function answerQuestions(): void {
  createServer((request, response) => {
    parentPort?.once('message', (ms) => response.end(String(ms)));
    parentPort?.postMessage(request.url?.slice(1));
  }).listen(Number(port), '127.0.0.1');
}
