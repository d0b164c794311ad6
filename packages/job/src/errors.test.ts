import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askedBy, PermanentError, RetryLaterError } from './errors.ts';

class CardDeclined extends PermanentError {
  override name = 'Declined';
}
class HTTPTooMany extends RetryLaterError {}
class _Gone2 extends PermanentError {
  constructor() {
    super('gone');
    this.name = 'Error';
  }
}
class Coded extends PermanentError {
  override readonly code = 'by_field';
}
/** As compilers for old targets write a subclass. */
const OldTarget = function OldTarget(message: string) {
  return Reflect.construct(PermanentError, [message], new.target ?? OldTarget);
} as unknown as typeof PermanentError;
Object.setPrototypeOf(OldTarget.prototype, PermanentError.prototype);
OldTarget.prototype.name = 'OldTarget';
/** As JavaScript may say it, where no compiler objects. */
const Getter = runInNewContext('(Base) => class Getter extends Base { get code() { return "by_getter"; } }')(
  PermanentError,
) as typeof PermanentError;

describe('a subclass', () => {
  it.each<[Error, string, string]>([
    [new PermanentError('no'), 'permanent', 'permanent_error'],
    [new PermanentError('no', null as never), 'permanent', 'permanent_error'],
    [new CardDeclined('no'), 'permanent', 'card_declined'],
    [new CardDeclined('no', { code: 'given' }), 'permanent', 'given'],
    [new _Gone2(), 'permanent', 'gone2'],
    [new Coded('no'), 'permanent', 'by_field'],
    [new OldTarget('no'), 'permanent', 'old_target'],
    [new Getter('no'), 'permanent', 'by_getter'],
    [new (class extends CardDeclined {})('no'), 'permanent', 'permanent_error'],
    [new RetryLaterError('later'), 'retry_later', 'retry_later'],
    [new HTTPTooMany('later'), 'retry_later', 'http_too_many'],
  ])('is known by its mark and has a code: %s', (error, kind, code) => {
    expect(askedBy(error)).toEqual({ kind, code });
    expect(error.stack).toContain('errors.test.ts');
  });

  it.each([
    new Error('no'),
    Object.assign(new Error('no'), { name: 'PermanentError', code: 'permanent_error' }),
    new Error('PermanentError [x]: quoted'),
    new Error('outer', { cause: new PermanentError('caught') }),
    new AggregateError([new PermanentError('one of many')]),
  ])('and every other error is not, whatever its name, message and cause: %s', (error) => {
    expect(askedBy(error)).toBeUndefined();
  });
});

describe('from elsewhere', () => {
  let folder: string;
  let copy: { PermanentError: typeof PermanentError; RetryLaterError: typeof RetryLaterError };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'accepted-copy-'));
    const file = join(folder, 'errors.ts');
    await copyFile(fileURLToPath(new URL('errors.ts', import.meta.url)), file);
    copy = await import(pathToFileURL(file).href);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('the errors of another copy of the package are known', () => {
    class Mine extends copy.PermanentError {}
    expect(new Mine('no')).not.toBeInstanceOf(PermanentError);
    expect(askedBy(new Mine('no'))).toEqual({ kind: 'permanent', code: 'mine' });
    expect(askedBy(new copy.RetryLaterError('no'))).toEqual({ kind: 'retry_later', code: 'retry_later' });
  });

  it('an error that ends a worker thread is known, with its code and its wait', async () => {
    const source = `
      import { RetryLaterError } from '${new URL('errors.ts', import.meta.url)}';
      class Busy extends RetryLaterError { name = 'Busy'; }
      throw new Busy('later', { retryAfterMs: 7 });`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
    const error = await new Promise<Error>((resolve) => worker.once('error', resolve));
    expect(askedBy(error)).toEqual({ kind: 'retry_later', code: 'busy' });
    expect(error).toMatchObject({ message: 'later', retryAfterMs: 7 });
  });

  it('an error that a thread posts is known by its stack, with its code', () => {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(new CardDeclined('no: way\n    at first', { code: 'given' }));
    const { message: clone } = receiveMessageOnPort(port2) as { message: Error };
    port1.close();
    expect(clone).not.toBeInstanceOf(PermanentError);
    expect(askedBy(clone)).toEqual({ kind: 'permanent', code: 'given' });
    expect(askedBy(structuredClone(new Error('no')))).toBeUndefined();
  });
});
