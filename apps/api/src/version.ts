import manifest from '../package.json' with { type: 'json' };

/** The version of this server, as its package has it. */
export const VERSION: string = manifest.version;
