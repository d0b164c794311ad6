import { z } from 'zod';
import { parseSecretKeys } from '../../core/secrets/secret-box.ts';

/** Settings that more than one app takes, and the kinds that settings are made of. */

export const databaseUrl = url(['postgres:', 'postgresql:']).meta({
  expected: 'the URL of a PostgreSQL database, such as postgres://user:password@host:5432/accepted',
});

/** Unset: the queues live in PostgreSQL. */
export const redisUrl = url(['redis:', 'rediss:'])
  .optional()
  .meta({ expected: 'the URL of a Redis, such as redis://host:6379' });

export const logLevel = z
  .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
  .default('info')
  .meta({ expected: 'one of fatal, error, warn, info, debug, trace, silent' });

/** For what handlers write themselves; unset: as `LOG_LEVEL`. */
export const handlerLogLevel = logLevel
  .unwrap()
  .optional()
  .meta({ ...logLevel.meta() });

interface WholeNumbers {
  min: number;
  max: number;
  unit?: string;
}

/** Makes a setting that is a whole number, written in decimal digits. */
export function wholeNumber(limits: WholeNumbers & { default: number }) {
  return digits(limits).default(limits.default).meta(describeWholeNumber(limits));
}

/** Makes such a setting that has no value when it is left out. */
export function optionalWholeNumber(limits: WholeNumbers) {
  return digits(limits).optional().meta(describeWholeNumber(limits));
}

function digits({ min, max }: WholeNumbers) {
  return z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
}

function describeWholeNumber({ min, max, unit = '' }: WholeNumbers) {
  return { expected: `a whole number${unit && ` of ${unit}`} from ${min} to ${max}` };
}

/** Makes a setting that is a list, written with commas; what is between them is checked by `item`. */
export function listOf(item: z.ZodType<string, string>, expected: string) {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item))
    .default([])
    .meta({ expected: `${expected}, with commas between them` });
}

/** Private networks, in CIDR notation, that webhooks and `http.request` may reach all the same. */
export const privateNetworks = listOf(
  z.union([z.cidrv4(), z.cidrv6()]),
  'networks in CIDR notation, such as 10.1.0.0/16',
);

/** The keys that seal the secrets of the ledger: the first one seals, all of them open. */
export const secretsKey = z
  .string()
  .transform((text) => parseSecretKeys(text))
  .pipe(z.array(z.instanceof(Buffer)))
  .meta({
    expected:
      '32 random bytes in base64, as `openssl rand -base64 32` prints them; or several, the newest first, with commas between them',
    secret: true,
  });

/** Makes a setting that nobody may see, of at least `minLength` characters; it is optional. */
export function secret(minLength: number) {
  return z
    .string()
    .min(minLength)
    .optional()
    .meta({ expected: `at least ${minLength} characters`, secret: true });
}

function url(protocols: string[]) {
  return z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ''));
}
