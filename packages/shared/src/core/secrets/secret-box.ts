import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** Keeps secrets readable for those alone who have the keys, who are not those who have the database or its backups. */
export interface SecretBox {
  /** Encrypts a text for one place; `context` names it, such as the row, and is needed to open it again. */
  seal(text: string, context: string): string;
  /** Decrypts; throws a `SecretBoxError` rather than answer anything but the very text that was sealed. */
  open(sealed: string, context: string): string;
  /** Tells whether a stored text is sealed, and with the newest key. */
  isCurrent(stored: string): boolean;
}

/** Tells in one sentence, fit for a terminal, why a secret stays closed. */
export class SecretBoxError extends Error {
  override name = 'SecretBoxError';
}

const KEY_BYTES = 32;
/** What NIST SP 800-38D recommends for GCM. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^sealed\.v1\.([0-9a-f]{8})\.([A-Za-z0-9_-]+)$/;

/** Reads keys of 32 bytes in base64, with commas between them; `undefined` when one of them is no key. */
export function parseSecretKeys(text: string): Buffer[] | undefined {
  const parts = text.split(',').map((part) => part.trim());
  const keys = parts.map((part) => Buffer.from(part, 'base64'));
  const areKeys = keys.every((key, n) => key.length === KEY_BYTES && key.toString('base64') === parts[n]);
  return areKeys ? keys : undefined;
}

/** Makes a key in the form that `parseSecretKeys` reads. */
export function generateSecretKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

/**
 * Makes a box that seals with the first key (AES-256-GCM) and opens with all of them, so that a key can be replaced while
 * what the old one sealed is still there.
 */
export function createSecretBox(keys: readonly Buffer[]): SecretBox {
  const [newest] = keys;
  if (!newest) throw new TypeError('A secret box needs a key.');
  const newestId = keyId(newest);
  const byId = new Map(keys.map((key) => [keyId(key), key]));

  return {
    seal: (text, context) => `sealed.v1.${newestId}.${encrypt(newest, text, context).toString('base64url')}`,
    open(sealed, context) {
      const [, id, body] = SEALED.exec(sealed) ?? [];
      if (!id || !body) throw new SecretBoxError('A secret of the ledger is not sealed.');
      const key = byId.get(id);
      if (!key) {
        const message = `A secret of the ledger is sealed with the key ${id}, which SECRETS_KEY does not have: add the key that was used before.`;
        throw new SecretBoxError(message);
      }
      return decrypt(key, Buffer.from(body, 'base64url'), context);
    },
    isCurrent: (stored) => SEALED.exec(stored)?.[1] === newestId,
  };
}

/** Names a key without telling it. */
function keyId(key: Buffer): string {
  return createHash('sha256').update('accepted secrets key').update(key).digest('hex').slice(0, 8);
}

function encrypt(key: Buffer, text: string, context: string): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** The context is part of what is authenticated: a secret that was copied into another row does not open there. */
function decrypt(key: Buffer, body: Buffer, context: string): string {
  const ciphertext = body.subarray(IV_BYTES, -TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(context)).setAuthTag(body.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new SecretBoxError('A sealed secret was changed, or moved to another row.', { cause });
  }
}
