import { FAILED, PASSED, SKIPPED, type Tally } from '../test/tally.ts';
import accepted from './accepted-advisories.json' with { type: 'json' };
import { askForAdvisories, judgeAdvisories } from './advisories.ts';
import type { Finding } from './finding.ts';
import { checkLicences } from './licences.ts';
import { checkSbom, makeSbom, type Sbom } from './sbom.ts';

/** Checks what the image is made of: what it is, under which licences, and what is known against it. */
export async function checkSupplyChain(): Promise<Tally[]> {
  const today = new Date().toISOString().slice(0, 10);
  const sbom = makeSbom();
  return [
    await check('SBOM', async () => checkSbom(await sbom)),
    await check('Licences', async () => checkLicences((JSON.parse(await sbom) as Sbom).components)),
    await check('Advisories', async () => judgeAdvisories(await askForAdvisories(), accepted, today)),
  ];
}

/** What cannot be done is a fault of that check alone. */
async function check(name: string, find: () => Promise<Finding>): Promise<Tally> {
  process.stdout.write(`${name} ... `);
  const finding = await find().catch(
    (error: Error): Finding => ({ kind: 'faulty', faults: [error.message] }),
  );
  process.stdout.write(`${describe(finding)}\n`);
  return { fine: PASSED, faulty: FAILED, unanswered: SKIPPED }[finding.kind];
}

function describe(finding: Finding): string {
  if (finding.kind === 'fine') return `ok (${finding.summary})`;
  if (finding.kind === 'faulty') return `FAILED\n${finding.faults.join('\n')}`;
  return `SKIPPED: they were not checked, as the registry gives no answer: ${finding.reason}`;
}
