import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { verifyWebhookSignature, webhookSignature } from './signature.ts';

const secret = () => `whsec_${randomBytes(32).toString('base64')}`;
const nowS = () => Math.floor(Date.now() / 1_000);

describe('webhookSignature', () => {
  it('signs any text as the published library does', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        (body, key) => {
          const key64 = `whsec_${Buffer.from(key).toString('base64')}`;
          const content = { id: 'evt_1', timestamp: nowS(), body };
          const theirs = new Webhook(key64).sign(content.id, new Date(content.timestamp * 1_000), body);
          expect(webhookSignature(content, [key64])).toBe(theirs);
        },
      ),
    );
  });

  it('is accepted by the published library under the old and the new secret of a rotation', () => {
    const [newer, older] = [secret(), secret()];
    const content = { id: 'evt_1', timestamp: nowS(), body: '{"type":"job.succeeded"}' };
    const headers = {
      'webhook-id': content.id,
      'webhook-timestamp': String(content.timestamp),
      'webhook-signature': webhookSignature(content, [newer, older]),
    };
    expect(new Webhook(newer).verify(content.body, headers)).toEqual({ type: 'job.succeeded' });
    expect(new Webhook(older).verify(content.body, headers)).toEqual({ type: 'job.succeeded' });
    expect(() => new Webhook(secret()).verify(content.body, headers)).toThrow();
  });

  it.each([
    '',
    'whsec_',
    'hello',
    `whsec_${randomBytes(23).toString('base64')}`,
    `whsec_${randomBytes(65).toString('base64')}`,
  ])('refuses %j as a secret', (faulty) => {
    expect(() => webhookSignature({ id: 'evt_1', timestamp: 1, body: '' }, [faulty])).toThrow(TypeError);
  });

  it('refuses to send without a signature', () => {
    expect(() => webhookSignature({ id: 'evt_1', timestamp: 1, body: '' }, [])).toThrow(/without a secret/);
  });
});

describe('verifyWebhookSignature', () => {
  const [ours, other] = [secret(), secret()];
  const content = { id: 'evt_1', timestamp: 1_000_000, body: '{}' };
  const signature = webhookSignature(content, [ours]);

  it.each<[string, boolean, Parameters<typeof verifyWebhookSignature>]>([
    ['accepts its own', true, [content, signature, [ours], 1_000_010]],
    ['accepts one of several signatures', true, [content, `v1,AAAA v2,x ${signature}`, [ours], 1_000_010]],
    ['accepts one of several secrets', true, [content, signature, [other, ours], 1_000_010]],
    ['refuses another secret', false, [content, signature, [other], 1_000_010]],
    ['refuses another body', false, [{ ...content, body: '{ }' }, signature, [ours], 1_000_010]],
    ['refuses another id', false, [{ ...content, id: 'evt_2' }, signature, [ours], 1_000_010]],
    ['refuses another version', false, [content, signature.replace('v1', 'v2'), [ours], 1_000_010]],
    ['refuses an old delivery', false, [content, signature, [ours], 1_000_301]],
    ['refuses one from the future', false, [content, signature, [ours], 999_699]],
    [
      'refuses a timestamp that is no number',
      false,
      [{ ...content, timestamp: Number.NaN }, signature, [ours], 1_000_000],
    ],
    ['refuses nothing', false, [content, '', [ours], 1_000_000]],
  ])('%s', (_name, accepted, args) => {
    expect(verifyWebhookSignature(...args)).toBe(accepted);
  });

  it('agrees with the published library', () => {
    const now = new Date();
    const theirs = new Webhook(ours).sign('evt_9', now, 'text');
    const timestamp = Math.floor(now.getTime() / 1_000);
    expect(verifyWebhookSignature({ id: 'evt_9', timestamp, body: 'text' }, theirs, [ours], nowS())).toBe(
      true,
    );
  });
});
