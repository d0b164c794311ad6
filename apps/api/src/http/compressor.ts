import { gzipped } from './content-coding.ts';

/** Of the four threads of the pool: name lookups and the like need the others. */
const MAX_AT_ONCE = 2;
/** The default of zlib, 6, takes twice as long and saves a tenth. */
const LEVEL = 1;

/** Compresses bodies as long as there is room; never has one wait. */
export interface Compressor {
  /** Answers `undefined` when others are being compressed, so that this one goes as it is. */
  compress(body: string | Buffer): Promise<Buffer> | undefined;
}

export function createCompressor(): Compressor {
  let underWay = 0;
  return {
    compress(body) {
      if (underWay >= MAX_AT_ONCE) return undefined;
      underWay += 1;
      return gzipped(body, LEVEL).finally(() => {
        underWay -= 1;
      });
    },
  };
}
