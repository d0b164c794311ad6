import { randomUUID } from 'node:crypto';

/** JSON that no value of JavaScript stands for, such as `1e999` or an object with the same field twice. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Writes a value as JSON, with each `RawJson` in it as it is. */
export function writeJson(value: unknown): string {
  const raw = new Map<string, string>();
  const text = JSON.stringify(value, (_key, inner) => {
    if (!(inner instanceof RawJson)) return inner;
    const mark = randomUUID();
    raw.set(`"${mark}"`, inner.text);
    return mark;
  });
  let written = text ?? '';
  for (const [mark, inner] of raw) written = written.replace(mark, () => inner);
  return written;
}
