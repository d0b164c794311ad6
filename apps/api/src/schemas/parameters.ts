import { Type } from 'typebox';

export const JobIdParameter = Type.Object({ id: Type.String({ description: 'The id of a job: `job_…`.' }) });

/** The parameters of every list. */
export const pageParameters = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, default: 20, description: 'How many a page has at most.' }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 100, description: '`nextCursor` of the page before.' })),
};

export const PageParameters = Type.Object(pageParameters, { additionalProperties: false });

/** No parameters; any that is sent is a mistake worth telling. */
export const NoParameters = Type.Object({}, { additionalProperties: false });
