/** The oldest versions that the tests run on. */
export const OLDEST_POSTGRES = '15';
export const OLDEST_REDIS = '7.0';

/** Says that a server is older than what the tests run on: no later try will end otherwise. */
export class UnsupportedServerError extends Error {
  override name = 'UnsupportedServerError';

  constructor(server: { product: string; oldest: string; version: string; setting: string }) {
    const { product, oldest, version, setting } = server;
    super(
      `Accepted needs ${product} ${oldest} or later, and this server is ${version}: upgrade it, or set ${setting} to another one.`,
    );
  }
}
