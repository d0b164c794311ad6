import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readEvidence } from '../checker/read-evidence.ts';
import { drawLatency } from './plots/latency.ts';
import { drawMemory } from './plots/memory.ts';
import { drawRecovery } from './plots/recovery.ts';
import { drawThroughput } from './plots/throughput.ts';
import { makeReport, type RunReport } from './run-report.ts';
import { renderTable } from './table.ts';

/**
 * Checks the run that left its logs in `folder`, and writes `report.json`, `throughput.svg`, `latency.svg`, `memory.svg`
 * and, when something was wiped, `recovery.svg` beside them. Answers the report and the table for a terminal.
 */
export async function reportRun(folder: string): Promise<{ report: RunReport; table: string }> {
  const evidence = await readEvidence(folder);
  const report = makeReport(evidence);
  const drawings = {
    throughput: drawThroughput(evidence),
    latency: drawLatency(evidence),
    recovery: drawRecovery(evidence),
    memory: drawMemory(evidence),
  };
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report, undefined, 2)}\n`);
  for (const [name, svg] of Object.entries(drawings))
    if (svg !== undefined) await writeFile(join(folder, `${name}.svg`), svg);
  return { report, table: renderTable(report) };
}
