import { randomBytes } from 'node:crypto';

/** The type of the only job there is; Accepted knows it by this name. */
export const JOB_TYPE = 'bench.noop';

/** What every contender is asked to run. */
export interface Payload {
  n: number;
  /** Whether the handler writes down when it started; it does nothing else. */
  noteStart: boolean;
  /** For how long the handler waits; not at all when left out. */
  workMs?: number | undefined;
  /** Makes the payload as long as it is to be. */
  text: string;
}

/** The JSON Schema by which every contender checks a payload. */
export const PAYLOAD_SCHEMA = {
  type: 'object',
  required: ['n', 'noteStart', 'text'],
  additionalProperties: false,
  properties: {
    n: { type: 'integer' },
    noteStart: { type: 'boolean' },
    workMs: { type: 'integer' },
    text: { type: 'string', maxLength: 1_000_000 },
  },
} as const;

/** What a job may be asked beside its payload. */
export interface BodyOptions {
  payloadBytes: number;
  noteStart?: boolean;
  workMs?: number;
  /** Where Accepted is to tell of the job's end. */
  webhookUrl?: string;
}

/** Makes the body of a request to any contender. */
export function makeBody(
  n: number,
  { payloadBytes, noteStart = false, workMs, webhookUrl }: BodyOptions,
): string {
  return JSON.stringify({
    type: JOB_TYPE,
    payload: { ...makePayload(n, payloadBytes, noteStart), ...(workMs !== undefined && { workMs }) },
    ...(webhookUrl !== undefined && { webhook: { url: webhookUrl } }),
  });
}

/** Makes a payload of about so many bytes; its text is random, for zeros would be stored compressed. */
export function makePayload(n: number, payloadBytes: number, noteStart = false): Payload {
  const frame = JSON.stringify({ n, noteStart, text: '' }).length;
  return { n, noteStart, text: randomText(Math.max(0, payloadBytes - frame)) };
}

function randomText(length: number): string {
  return randomBytes(Math.ceil((length * 3) / 4))
    .toString('base64')
    .slice(0, length);
}
