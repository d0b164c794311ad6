import { compileSchema } from '@accepted/shared/contract/compile-schema';
import { schemaId } from '@accepted/shared/core/job/build';
import type { JobTypeDescription } from '@accepted/shared/core/job/job-type';
import type { Logger } from 'pino';

/** Answers the id of this build's payload schema of a type when that refuses a payload. */
export type RefusingSchema = (type: string, payload: unknown) => string | undefined;

/**
 * Makes the check of payloads by the JSON Schemas that this build registered, which is what the other processes know of
 * it. A schema is compiled when it is first needed; one that cannot be compiled takes every payload.
 */
export function createRefusingSchema(types: JobTypeDescription[], logger: Logger): RefusingSchema {
  const schemaOf = new Map(types.map(({ type, payloadSchema }) => [type, payloadSchema]));
  const compiled = new Map<string, ReturnType<typeof compileSchema> | undefined>();

  function validatorOf(type: string, schema: object) {
    if (compiled.has(type)) return compiled.get(type);
    let validate: ReturnType<typeof compileSchema> | undefined;
    try {
      validate = compileSchema(schema);
    } catch (error) {
      logger.warn(
        { err: error, type },
        'the payload schema cannot be compiled; it is taken to refuse nothing',
      );
    }
    compiled.set(type, validate);
    return validate;
  }

  return (type, payload) => {
    const schema = schemaOf.get(type);
    const validate = schema && validatorOf(type, schema);
    return !validate || validate(payload) ? undefined : schemaId(schema);
  };
}
