import { BODY_BYTE_TWISTS } from './body-bytes.ts';
import { BODY_VALUE_TWISTS } from './body-values.ts';
import { HEADER_TWISTS } from './headers.ts';
import { KEY_TWISTS } from './keys.ts';
import { METHOD_TWISTS } from './methods.ts';
import { PATH_TWISTS, QUERY_TWISTS } from './parameters.ts';
import type { Twist } from './twist.ts';

/** What can be odd about a request, by where it is. One that stands there twice is drawn twice as often. */
export const TWISTS: readonly Twist[][] = [
  BODY_VALUE_TWISTS,
  BODY_VALUE_TWISTS,
  BODY_VALUE_TWISTS,
  BODY_BYTE_TWISTS,
  QUERY_TWISTS,
  PATH_TWISTS,
  HEADER_TWISTS,
  KEY_TWISTS,
  METHOD_TWISTS,
];
