import { createPredictionSamples, type Prediction } from '@accepted/shared/core/fairness/prediction-samples';
import { findFirstStarts } from '@accepted/shared/ledger/jobs/first-starts';
import fp from 'fastify-plugin';
import type { Histogram } from 'prom-client';
import { predictionErrorRatios } from '../metrics/process-metrics.ts';

declare module 'fastify' {
  interface FastifyInstance {
    predictionErrors: {
      /** Remembers some of the predictions that clients are told, to see how far off they were. */
      note(prediction: Prediction): void;
      ratios: Histogram;
    };
  }
}

/** Those whose jobs should have been started are looked up together. */
const LOOK_EVERY_MS = 3_000;

/** Measures how far off predictions were. Where nobody is told any it does nothing. */
export const predictionErrors = fp(async (app) => {
  const samples = createPredictionSamples();
  const ratios = predictionErrorRatios();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    // What is held up meanwhile waits for somebody whom nobody could foresee.
    for (const prediction of samples.all())
      if (app.forecasts.areHeldUp(prediction.queue, prediction)) samples.forget(prediction);
    const nowMs = Date.now();
    const due = samples.due(nowMs);
    if (due.length === 0) return;
    const starts = await findFirstStarts(app.db, due);
    const predictionOf = new Map(due.map((prediction) => [prediction.id, prediction]));
    for (const { id, ranMs } of starts) {
      const prediction = predictionOf.get(id);
      if (prediction && ranMs !== null) app.forecasts.noteRun(prediction.queue, prediction, ranMs);
    }
    for (const ratio of samples.settle(due, starts, nowMs)) ratios.observe(ratio);
  }

  function lookLater(): void {
    timer ??= setTimeout(() => {
      looking = look()
        .catch((error: unknown) => app.log.debug({ err: error }, 'cannot look up when jobs started'))
        .finally(() => {
          timer = undefined;
          if (!samples.isEmpty()) lookLater();
        });
    }, LOOK_EVERY_MS).unref();
  }

  app.decorate('predictionErrors', {
    ratios,
    note(prediction) {
      if (samples.note(prediction)) lookLater();
    },
  });
  app.addHook('onClose', async () => {
    clearTimeout(timer);
    await looking;
    clearTimeout(timer);
  });
});
