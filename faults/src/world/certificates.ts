import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A key and its self-signed certificate for 127.0.0.1, as PEM. */
export interface Certificate {
  key: string;
  cert: string;
  /** Where the certificate is, for those who are to trust it. */
  file: string;
}

/** Tells why no certificates can be made here; `undefined` when they can. */
export async function whyNoCertificates(): Promise<string | undefined> {
  return await run('openssl', ['version']).then(
    () => undefined,
    () => 'there is no openssl to make certificates with',
  );
}

/** Makes a key and a certificate that is valid for the length of a run. */
export async function makeCertificate(folder: string, name: string): Promise<Certificate> {
  const [keyFile, file] = [join(folder, `${name}-key.pem`), join(folder, `${name}.pem`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const subject = ['-subj', '/CN=receiver', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  await run('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', keyFile, '-out', file]);
  return { key: await readFile(keyFile, 'utf8'), cert: await readFile(file, 'utf8'), file };
}
