// Preloaded into an API: notes how long each answer took by the server's own clock, from when the head of the request was read to
// when the answer was handed to the system. What a client measures has its own delays in it, which on a machine that both share
// are the larger part.
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { now } from '../noop.ts';
import { ANSWER_TIMES_FILE } from '../overload/world/answer-times.ts';

const WRITE_EVERY_MS = 200;

interface Told {
  request: IncomingMessage;
  response: ServerResponse;
}

function noteAnswers(file: string): void {
  const beganAt = new WeakMap<IncomingMessage, number>();
  let lines = '';
  subscribe('http.server.request.start', (told) => void beganAt.set((told as Told).request, now()));
  subscribe('http.server.response.finish', (told) => {
    const { request, response } = told as Told;
    const at = beganAt.get(request);
    if (at === undefined) return;
    lines += `${at.toFixed(2)} ${(now() - at).toFixed(3)} ${response.statusCode} ${request.method}\n`;
  });
  setInterval(() => {
    if (lines === '') return;
    appendFileSync(file, lines);
    lines = '';
  }, WRITE_EVERY_MS).unref();
}

if (isMainThread) noteAnswers(join(process.env.BENCH_FOLDER ?? '.', ANSWER_TIMES_FILE));
