import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageWithReasons } from '@accepted/shared/core/job/error-reasons';
import { unresolvedImport } from './import-handler.ts';

/** A place in a source file; line and column are counted from 1. */
interface Place {
  file: string;
  line: number;
  column: number;
}

const IMPORT_HANDLER = new URL('./import-handler.ts', import.meta.url);
const NODE_MS = 10_000;

/** What stands in a stack between the author's code and the fault: our own code, and packages. */
const NOT_THE_AUTHORS = [
  dirname(fileURLToPath(IMPORT_HANDLER)),
  dirname(fileURLToPath(import.meta.resolve('@accepted/job'))),
];

/** Says why a handler file could not be loaded, with the place that the author has to look at, where it is known. */
export async function describeLoadFault(file: string, error: unknown): Promise<string> {
  if (!(error instanceof Error)) return `${file}: it threw ${String(error)}`;
  const place = await placeOf(file, error).catch(() => undefined);
  const message = messageWithReasons(error, error.message).replaceAll('\n', '\n    ');
  return `${place === undefined || place.file === file ? '' : `${file}: `}${shown(place, file)}: ${message}`;
}

/** Says that a type exists already, and where the second handler names it. */
export async function describeDuplicate(file: string, type: string, otherFile?: string): Promise<string> {
  const place = await placeOfText(file, type).catch(() => undefined);
  return `${shown(place, file)}: "${type}" is already defined by ${otherFile ?? 'the platform'}`;
}

function shown(place: Place | undefined, file: string): string {
  return place ? `${place.file}:${place.line}:${place.column}` : file;
}

async function placeOf(file: string, error: Error): Promise<Place | undefined> {
  const missing = unresolvedImport(error);
  if (missing?.importer !== undefined) return placeOfText(fileURLToPath(missing.importer), missing.specifier);
  const stack = String(error.stack);
  const marked = markedPlace(stack);
  if (marked || !(error instanceof SyntaxError)) return marked ?? framePlace(stack);
  return markedPlace(await whatNodeSays(file));
}

/** Node writes a fault of syntax as the file and line, the line's text, maybe after the one before, and a mark under it. */
function markedPlace(text: string): Place | undefined {
  const [, file, line, mark] = /^(\/.+|file:\/\/.+):(\d+)\n(?:.*\n){1,3}?( *)\^/m.exec(text) ?? [];
  if (file === undefined || mark === undefined) return undefined;
  return { file: pathOf(file), line: Number(line), column: mark.length + 1 };
}

function framePlace(stack: string): Place | undefined {
  const frames = stack.matchAll(/^ +at (?:.* \()?(\/.+?|file:\/\/.+?):(\d+):(\d+)\)?$/gm);
  return [...frames]
    .map(([, file = '', line, column]) => ({
      file: pathOf(file),
      line: Number(line),
      column: Number(column),
    }))
    .find(({ file }) => isTheAuthors(file));
}

function isTheAuthors(file: string): boolean {
  return (
    !file.includes(`${sep}node_modules${sep}`) &&
    !NOT_THE_AUTHORS.some((folder) => file.startsWith(folder + sep))
  );
}

/** Finds the first text in quotes that is `text`. */
async function placeOfText(file: string, text: string): Promise<Place | undefined> {
  const source = await readFile(file, 'utf8');
  const [at] = ["'", '"', '`']
    .map((quote) => source.indexOf(quote + text + quote))
    .filter((index) => index >= 0);
  if (at === undefined) return undefined;
  const before = source.slice(0, at).split('\n');
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/**
 * Runs a file whose modules have a fault of syntax, of which Node tells the place only when nothing catches it. As it
 * checks all modules before it runs any, none of their code runs.
 */
function whatNodeSays(file: string): Promise<string> {
  return new Promise((resolve) => {
    const args = ['--import', IMPORT_HANDLER.href, file];
    execFile(process.execPath, args, { env: {}, timeout: NODE_MS }, (_error, _stdout, stderr) =>
      resolve(stderr),
    );
  });
}

function pathOf(file: string): string {
  return file.startsWith('file://') ? fileURLToPath(file) : file;
}
