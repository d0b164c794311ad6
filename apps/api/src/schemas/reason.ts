import { Type } from 'typebox';

/** The reason for an act; it stands in the audit log. */
export const Reason = Type.String({ minLength: 1, maxLength: 1_000, description: 'For the audit log.' });

export const NO_REASON = 'none was given';
