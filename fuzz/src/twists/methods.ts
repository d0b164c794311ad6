import { findOperation } from '../document/find-operation.ts';
import { targetOf } from '../request/target.ts';
import type { Twist } from './twist.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH', 'PURGE'];

const wrongMethod: Twist = {
  fits: () => true,
  apply(draft, { draw, document }) {
    const target = targetOf(draft);
    const wrong = METHODS.filter((method) => findOperation(document, method, target).kind === 'noMethod');
    draft.method = draw.pick(wrong.length > 0 ? wrong : METHODS);
    draft.body = undefined;
    draft.contentType = undefined;
    return { did: `${draft.method}, which there is not`, expected: wrong.length > 0 ? [405] : 'anything' };
  },
};

const head: Twist = {
  fits: ({ method }) => method === 'GET',
  apply(draft) {
    draft.method = 'HEAD';
    return { did: 'HEAD', expected: 'anything' };
  },
};

export const METHOD_TWISTS: Twist[] = [wrongMethod, wrongMethod, head];
