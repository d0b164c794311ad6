import { parseArgs } from 'node:util';
import type { Steps } from './measure-workers.ts';

export interface OverloadOptions {
  steps: Steps;
  /** Whether what one would write instead is measured as well. */
  withOthers: boolean;
  folder: string | undefined;
}

const SIZES: Record<string, Steps> = {
  small: { times: [0.5, 4], seconds: 3 },
  standard: { times: [0.5, 1, 2, 4, 8], seconds: 10 },
};

export const USAGE = `npm run overload -- [options]
  --size small|standard   a look, or what docs/overload.md is made of; small when left out
  --alone                 measures Accepted alone, without what one would write instead
  --folder FOLDER         leaves report and plots there
`;

/** Reads the command line; throws a TypeError that says what is wrong with it. */
export function parseOverloadOptions(args: string[]): OverloadOptions {
  const { values } = parseArgs({
    args,
    options: {
      size: { type: 'string', default: 'small' },
      alone: { type: 'boolean', default: false },
      folder: { type: 'string' },
    },
  });
  const steps = SIZES[values.size];
  if (!steps) throw new TypeError(`--size is "${values.size}": expected small or standard`);
  return { steps, withOthers: !values.alone, folder: values.folder };
}
