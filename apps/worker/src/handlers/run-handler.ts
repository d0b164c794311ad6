import type { JobContext, JobDefinition, JobSchema } from '@accepted/job';
import type { AttemptResult } from '@accepted/shared/core/job/decide-outcome';
import { describeThrown, failure, type Threw } from './attempt-error.ts';
import { jsonPointer } from './json-pointer.ts';
import { jsonText, UnstorableValueError } from './json-text.ts';

/** How a handler ended when nobody stopped it. */
export type HandlerResult = Extract<AttemptResult, { kind: 'returned' | 'threw' }>;

/**
 * Runs a handler on a payload: parse, run, check the result, write it as JSON. Never rejects; it may hang for as long
 * as the handler does.
 */
export async function runHandler(
  definition: JobDefinition,
  payload: unknown,
  ctx: JobContext,
  maxResultBytes: number,
): Promise<HandlerResult> {
  const parsing = parse(definition.payload, payload, 'invalid_payload');
  const parsed = 'then' in parsing ? await parsing : parsing;
  if ('threw' in parsed) return { ...parsed.threw, payloadRefused: true };
  let returned: unknown;
  try {
    returned = await definition.run(parsed.value, ctx);
  } catch (error) {
    return describeThrown(error);
  }
  const checking = definition.result
    ? parse(definition.result, returned, 'invalid_result')
    : { value: returned };
  const checked = 'then' in checking ? await checking : checking;
  return 'threw' in checked ? checked.threw : writeResult(checked.value, maxResultBytes);
}

type Validated = Awaited<ReturnType<JobSchema['~standard']['validate']>>;
type Parsed = { value: unknown } | { threw: Threw };

/** Answers at once where the schema does, as nearly all do. */
function parse(schema: JobSchema, value: unknown, code: string): Parsed | Promise<Parsed> {
  try {
    const validated = schema['~standard'].validate(value);
    if (!('then' in validated)) return toParsed(validated, code);
    return validated.then(
      (result) => toParsed(result, code),
      (error) => schemaThrew(error, code),
    );
  } catch (error) {
    return schemaThrew(error, code);
  }
}

/** The fault is in the data or the handler's code and stays there, so another attempt would not help. */
function toParsed(validated: Validated, code: string): Parsed {
  return validated.issues
    ? { threw: failure(code, describeIssues(validated.issues), false) }
    : { value: validated.value };
}

function schemaThrew(error: unknown, code: string): Parsed {
  const { message, stack } = describeThrown(error).error;
  return { threw: failure(code, `The schema threw: ${message}`, false, stack) };
}

const MAX_ISSUES = 20;

type Issues = ReadonlyArray<{
  message: string;
  path?: ReadonlyArray<PropertyKey | { key: PropertyKey }> | undefined;
}>;

function describeIssues(issues: Issues): string {
  const lines = issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => {
    const pointer = jsonPointer(path.map((step) => (typeof step === 'object' ? step.key : step)));
    return `${pointer || 'the whole'}: ${message}`;
  });
  if (issues.length > MAX_ISSUES) lines.push(`and ${issues.length - MAX_ISSUES} more`);
  return lines.join('; ');
}

const RESULT_CODES = {
  too_large: 'result_too_large',
  not_serializable: 'result_not_serializable',
  unstorable_text: 'invalid_result',
  changed: 'invalid_result',
} as const satisfies Record<UnstorableValueError['fault'], string>;

function writeResult(value: unknown, maxBytes: number): HandlerResult {
  try {
    return { kind: 'returned', resultJson: jsonText(value, maxBytes) };
  } catch (error) {
    if (!(error instanceof UnstorableValueError)) return describeThrown(error);
    return failure(RESULT_CODES[error.fault], `The result cannot be kept. ${error.message}`, false);
  }
}
