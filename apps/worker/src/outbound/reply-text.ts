/** Turns the bytes of a reply into text that Postgres can hold; `undefined` when they are not text. */
export function replyText(bytes: Buffer, truncated: boolean): string | undefined {
  try {
    // With `stream` the decoder does not mind a character that was cut in two.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: truncated });
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
