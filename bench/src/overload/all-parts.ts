import { postgres, processor, workers } from './bottlenecks/bottleneck-part.ts';
import type { OverloadPart } from './part.ts';
import { deadlines } from './parts/deadlines.ts';
import { failingReceiver } from './parts/failing-receiver.ts';
import { hog } from './parts/hog.ts';
import { predictions } from './parts/predictions.ts';
import { priorities } from './parts/priorities.ts';
import { retries } from './parts/retries.ts';
import { slowDependency } from './parts/slow-dependency.ts';

/** In the order in which they are run and shown. */
export const ALL_PARTS: readonly OverloadPart[] = [
  workers,
  processor,
  postgres,
  retries,
  priorities,
  hog,
  deadlines,
  slowDependency,
  failingReceiver,
  predictions,
];
