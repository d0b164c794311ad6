import { randomUUID } from 'node:crypto';
import { parseExactly } from './exact-numbers.ts';

/** Nobody can know it, so no text of a client holds it. */
const MARK = `json-text:${randomUUID()}`;
const WRITTEN_MARK = JSON.stringify(MARK);

/** The texts that the value holds which is being written; `undefined` while nothing is. */
let held: JsonText[] | undefined;

/**
 * JSON that is passed on as the text it is, as parsing and writing a megabyte holds up everybody. `stringifyWithTexts`
 * puts it in as it stands; `JSON.stringify` writes what it means.
 */
export class JsonText {
  readonly text: string;
  /** The canonical form (RFC 8785) that `idempotencyFingerprint` is made of, where it was asked for. */
  readonly canonical: string | undefined;

  constructor(text: string, canonical?: string) {
    this.text = text;
    this.canonical = canonical;
  }

  toJSON(): unknown {
    if (!held) return parseExactly(this.text);
    held.push(this);
    return MARK;
  }
}

/** Writes a value as JSON, with each `JsonText` in it as its text. */
export function stringifyWithTexts(value: unknown): string {
  return spliceTexts(
    () => JSON.stringify(value),
    ({ text }) => text,
  );
}

/** Has a value written, which must go by `toJSON`, and puts what `textOf` says in the place of each `JsonText` in it. */
export function spliceTexts(write: () => string, textOf: (text: JsonText) => string): string {
  const texts: JsonText[] = [];
  held = texts;
  let written: string;
  try {
    written = write();
  } finally {
    held = undefined;
  }
  if (texts.length === 0) return written;
  const between = written.split(WRITTEN_MARK);
  return between.reduce((all, part, index) => all + textOf(texts[index - 1] as JsonText) + part);
}
