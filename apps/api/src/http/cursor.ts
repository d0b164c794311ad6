import { Problem } from './problem.ts';

const VERSION = 1;
const BYTES = 17;

/** Makes the opaque cursor of the page that follows the row with this UUID. */
export function encodeCursor(uuid: string): string {
  return Buffer.concat([Buffer.of(VERSION), Buffer.from(uuid.replaceAll('-', ''), 'hex')]).toString(
    'base64url',
  );
}

/** Reads a cursor back to the UUID; throws `invalid_cursor` for anything that `encodeCursor` did not make. */
export function decodeCursor(cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  const ours = bytes.length === BYTES && bytes[0] === VERSION && bytes.toString('base64url') === cursor;
  if (!ours) {
    const errors = [{ pointer: '/query/cursor', detail: 'The cursor is not one of ours.' }];
    throw new Problem('invalid_cursor', { errors });
  }
  return bytes.toString('hex', 1).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
