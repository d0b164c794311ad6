import { defineJob, type JobContext, PermanentError } from '@accepted/job';
import { type CsvError, parse } from 'csv-parse/sync';
import pg from 'pg';
import { z } from 'zod';

/** Whatever its letters, a text of this length stays below the API's `MAX_BODY_BYTES` of 1 MiB. */
const MAX_CSV_LENGTH = 300_000;

const BATCH_SIZE = 500;
const COLUMNS = ['name', 'email'];

const contactSchema = z.object({ name: z.string().trim().min(1).max(200), email: z.email().max(320) });

interface Contact extends z.output<typeof contactSchema> {
  line: number;
}

interface Rejection {
  line: number;
  reason: string;
}

/**
 * Imports the contacts of a CSV text with the columns `name` and `email` into `examples.contacts`. Lines that are no
 * contact are told in the result. A repeated attempt writes each line once, as job and line are the table's key.
 */
export default defineJob({
  type: 'csv.import',
  payload: z.object({ csv: z.string().min(1).max(MAX_CSV_LENGTH) }),
  result: z.object({
    imported: z.int(),
    rejected: z.array(z.object({ line: z.int(), reason: z.string() })),
  }),
  timeoutMs: 120_000,
  async run({ csv }, ctx) {
    const { contacts, rejected } = readContacts(csv);
    await createTable();
    for (let done = 0; done < contacts.length; done += BATCH_SIZE) {
      ctx.signal.throwIfAborted();
      await writeContacts(contacts.slice(done, done + BATCH_SIZE), ctx);
      ctx.progress({ written: Math.min(done + BATCH_SIZE, contacts.length), of: contacts.length });
    }
    ctx.logger.info({ imported: contacts.length, rejected: rejected.length }, 'contacts imported');
    return { imported: contacts.length, rejected };
  },
});

function readContacts(csv: string): { contacts: Contact[]; rejected: Rejection[] } {
  const contacts: Contact[] = [];
  const rejected: Rejection[] = [];
  const records = parse<{ info: { lines: number }; record: Record<string, string> }>(csv, {
    columns: checkColumns,
    bom: true,
    info: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error: CsvError | undefined) => {
      rejected.push({ line: Number(error?.lines ?? 0), reason: error?.message ?? 'is not CSV' });
    },
  });
  for (const { info, record } of records) {
    const contact = contactSchema.safeParse(record);
    if (contact.success) contacts.push({ line: info.lines, ...contact.data });
    else rejected.push({ line: info.lines, reason: describe(contact.error) });
  }
  return { contacts, rejected: rejected.sort((a, b) => a.line - b.line) };
}

function checkColumns(header: string[]): string[] {
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length === 0) return header;
  throw new PermanentError(`The CSV has no column ${missing.join(', ')}.`, { code: 'missing_column' });
}

function describe(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
}

let pool: pg.Pool | undefined;

/** Opens the pool at the first job, so that loading this file needs no database. */
function database(): pg.Pool {
  if (pool) return pool;
  pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2, allowExitOnIdle: true });
  // An idle connection that the server closes must not end the worker.
  pool.on('error', () => undefined);
  return pool;
}

async function createTable(): Promise<void> {
  // The lock keeps two first imports from creating the table at once; it ends with this statement's transaction.
  await database().query(`
    SELECT pg_advisory_xact_lock(hashtext('examples.contacts'));
    CREATE SCHEMA IF NOT EXISTS examples;
    CREATE TABLE IF NOT EXISTS examples.contacts (
      job_id text, line integer, name text NOT NULL, email text NOT NULL, token integer NOT NULL,
      PRIMARY KEY (job_id, line)
    )`);
}

/** The fencing token keeps an attempt that lost its lease from overwriting a later one. */
async function writeContacts(contacts: Contact[], ctx: JobContext): Promise<void> {
  await database().query(
    `INSERT INTO examples.contacts (job_id, line, name, email, token)
     SELECT $1, line, name, email, $2 FROM unnest($3::integer[], $4::text[], $5::text[]) AS contact (line, name, email)
     ON CONFLICT (job_id, line) DO UPDATE
     SET name = excluded.name, email = excluded.email, token = excluded.token
     WHERE contacts.token <= excluded.token`,
    [
      ctx.job.id,
      ctx.fencingToken,
      ...(['line', 'name', 'email'] as const).map((name) => contacts.map((c) => c[name])),
    ],
  );
}
