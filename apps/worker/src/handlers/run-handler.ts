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
  const parsed = await parse(definition.payload, payload, 'invalid_payload');
  if ('threw' in parsed) return { ...parsed.threw, payloadRefused: true };
  let returned: unknown;
  try {
    returned = await definition.run(parsed.value, ctx);
  } catch (error) {
    return describeThrown(error);
  }
  const checked = definition.result
    ? await parse(definition.result, returned, 'invalid_result')
    : { value: returned };
  return 'threw' in checked ? checked.threw : writeResult(checked.value, maxResultBytes);
}

type Parsed = { value: unknown } | { threw: Threw };

/** The fault is in the data or the handler's code and stays there, so another attempt would not help. */
async function parse(schema: JobSchema, value: unknown, code: string): Promise<Parsed> {
  try {
    const parsed = await schema['~standard'].validate(value);
    return parsed.issues
      ? { threw: failure(code, describeIssues(parsed.issues), false) }
      : { value: parsed.value };
  } catch (error) {
    const { message, stack } = describeThrown(error).error;
    return { threw: failure(code, `The schema threw: ${message}`, false, stack) };
  }
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
