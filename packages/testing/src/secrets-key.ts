import {
  createSecretBox,
  generateSecretKey,
  parseSecretKeys,
} from '@accepted/shared/core/secrets/secret-box';

/** `SECRETS_KEY` for the processes of a test: one key for all of them. */
export const secretsKey = generateSecretKey();

/** Seals and opens with that key, as those processes do. */
export const secretBox = createSecretBox(parseSecretKeys(secretsKey) ?? []);
