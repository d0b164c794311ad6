import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a receiver gets to check a delivery by (Standard Webhooks 1.0.0). `timestamp` is in whole seconds. */
export interface SignedContent {
  id: string;
  timestamp: number;
  body: string;
}

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const SECRET_BYTES = { least: 24, most: 64 };

/**
 * Signs a delivery with every secret, the newest first, so that receivers keep working while a secret is rotated.
 * Answers the value of the `webhook-signature` header. Throws a TypeError when a secret is not one.
 */
export function webhookSignature(content: SignedContent, secrets: string[]): string {
  if (secrets.length === 0) throw new TypeError('A delivery cannot be signed without a secret.');
  return secrets.map((secret) => `v1,${digest(content, secret).toString('base64')}`).join(' ');
}

/** How far the clocks of sender and receiver may be apart, in seconds; older deliveries may be replays. */
const TOLERANCE_S = 300;

/**
 * Tells whether one of the signatures was made with one of the secrets, and lately: `nowS` is the receiver's clock
 * in seconds.
 */
export function verifyWebhookSignature(
  content: SignedContent,
  signatures: string,
  secrets: string[],
  nowS: number,
): boolean {
  if (!(Math.abs(nowS - content.timestamp) <= TOLERANCE_S)) return false;
  const given = signatures.split(' ').flatMap((signature) => {
    const [version, base64] = signature.split(',');
    return version === 'v1' && base64 !== undefined ? [Buffer.from(base64, 'base64')] : [];
  });
  return secrets.some((secret) => {
    const expected = digest(content, secret);
    return given.some((bytes) => bytes.length === expected.length && timingSafeEqual(bytes, expected));
  });
}

function digest({ id, timestamp, body }: SignedContent, secret: string): Buffer {
  return createHmac('sha256', secretBytes(secret)).update(`${id}.${timestamp}.${body}`).digest();
}

function secretBytes(secret: string): Buffer {
  const bytes = Buffer.from(SECRET.exec(secret)?.[1] ?? '', 'base64');
  if (bytes.length < SECRET_BYTES.least || bytes.length > SECRET_BYTES.most) {
    throw new TypeError('A webhook secret is whsec_ and the base64 of 24 to 64 bytes.');
  }
  return bytes;
}
