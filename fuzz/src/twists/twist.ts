import type { ApiDocument, Operation } from '../document/api-document.ts';
import type { Context } from '../generate/context.ts';
import type { Draft } from '../request/draft.ts';
import type { Expected } from '../request/fuzz-request.ts';

export interface TwistContext extends Context {
  document: ApiDocument;
}

/** What a twist did: in words, and what must come of it when nothing else is odd about the request. */
export interface Twisted {
  did: string;
  expected: Expected;
}

/** One way to make a request odd. */
export interface Twist {
  /** Whether it can be done to requests of this operation. */
  fits(operation: Operation): boolean;
  apply(draft: Draft, context: TwistContext): Twisted;
}
