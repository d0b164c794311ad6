import { makePayload } from '../../payload.ts';
import type { Picked } from './mix.ts';

/** Texts of payloads take longer to make than requests to send, so a few of each length serve all. */
const TEXTS = 8;

/** Makes the bodies of requests: `bodyOf` is called for each, and costs little. */
export function createBodies(): (n: number, picked: Picked) => string {
  const textsOfLength = new Map<number, string[]>();

  function textOf(n: number, bytes: number): string {
    const texts = textsOfLength.get(bytes) ?? Array.from({ length: TEXTS }, () => makePayload(n, bytes).text);
    textsOfLength.set(bytes, texts);
    return texts[n % TEXTS] ?? '';
  }

  return (n, { kind, bytes, priority }) => {
    const { type, workMs, ttlMs, webhookUrl, callUrl } = kind;
    const webhook = webhookUrl === undefined ? undefined : { url: webhookUrl };
    const text = textOf(n, bytes);
    // The text needs no escapes, and writing it as JSON would look for some.
    const work = workMs === undefined ? '' : `"workMs":${workMs},`;
    const payload =
      callUrl === undefined
        ? `{"n":${n},"noteStart":true,${work}"text":"${text}"}`
        : `{"method":"POST","url":"${callUrl}","body":{"n":${n},"text":"${text}"}}`;
    return `${JSON.stringify({ type, priority, ttlMs, webhook }).slice(0, -1)},"payload":${payload}}`;
  };
}
