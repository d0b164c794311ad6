import { type Finding, findingOf } from './finding.ts';
import { runForOutput } from './run-for-output.ts';

/** A known vulnerability of a package that is installed, as pnpm tells it. */
export interface Advisory {
  github_advisory_id: string;
  module_name: string;
  severity: 'info' | 'low' | 'moderate' | 'high' | 'critical';
  title: string;
  url: string;
  vulnerable_versions: string;
  patched_versions: string | null;
  findings: { version: string; paths: string[] }[];
}

/** An advisory that is lived with for a while. `until` is the last day, `YYYY-MM-DD`. */
export interface AcceptedAdvisory {
  advisory: string;
  package: string;
  reason: string;
  until: string;
}

/** What the registry said; `undefined` when it said nothing, with the reason. */
export type Answer = { advisories: Advisory[] } | { advisories: undefined; reason: string };

const QUICKLY = ['--config.fetch-retries=1', '--config.fetch-retry-mintimeout=1000'];

/** Asks the registry, or another one, what is known of the production dependencies of all programs. */
export async function askForAdvisories(registry?: string): Promise<Answer> {
  const other = registry === undefined ? [] : ['--registry', registry];
  const args = ['scripts/pnpm/main.mjs', 'audit', '--prod', '--json', ...QUICKLY, ...other];
  const { stdout, stderr } = await runForOutput('node', args);
  if (stdout.trimStart().startsWith('{')) return { advisories: Object.values(JSON.parse(stdout).advisories) };
  // A registry that is away, and one that does not know the question, which many mirrors do not.
  if (/ERR_PNPM_AUDIT_(BAD_RESPONSE|ENDPOINT_NOT_EXISTS)/.test(stderr))
    return { advisories: undefined, reason: sentenceOf(stderr) };
  throw new Error(`pnpm audit failed: ${stderr}`);
}

/** pnpm draws its errors as a tree, with lines broken anywhere. */
function sentenceOf(stderr: string): string {
  const [, ...lines] = stderr.split('\n').map((line) => line.replace(/^[\s×│├└─▶╰]+/, ''));
  return lines
    .join(' ')
    .replace(/\s+/g, ' ')
    .replace(/[\s:]+$/, '')
    .trim();
}

const SEVERE = ['high', 'critical'];

/** Judges what is known on a day, `YYYY-MM-DD`: severe advisories are faults, unless they are accepted and that is not over. */
export function judgeAdvisories(answer: Answer, accepted: AcceptedAdvisory[], today: string): Finding {
  if (answer.advisories === undefined) return { kind: 'unanswered', reason: answer.reason };
  const severe = answer.advisories.filter(({ severity }) => SEVERE.includes(severity));
  const isMeant = (entry: AcceptedAdvisory) => (advisory: Advisory) =>
    entry.advisory === advisory.github_advisory_id && entry.package === advisory.module_name;
  const open = severe.filter((advisory) => !accepted.some((entry) => isMeant(entry)(advisory)));
  const faults = [
    ...open.map(describe),
    ...accepted.flatMap((entry) => {
      const name = `${entry.advisory} of ${entry.package} in accepted-advisories.json`;
      if (!severe.some(isMeant(entry))) return [`${name} is not needed any more: take it out.`];
      return entry.until < today
        ? [`${name} was accepted until ${entry.until}: mend it, or decide anew.`]
        : [];
    }),
  ];
  const lesser = answer.advisories.length - severe.length;
  return findingOf(faults, `none that is severe, ${lesser} lesser, ${accepted.length} accepted`);
}

function describe(advisory: Advisory): string {
  const {
    severity,
    module_name: name,
    github_advisory_id: id,
    title,
    url,
    patched_versions: patched,
  } = advisory;
  const [{ version, paths } = { version: '', paths: [] }] = advisory.findings;
  const cure = patched ? `take ${patched}` : 'no version is known that mends it';
  return `${severity}: ${name} ${version} (${paths[0]}): ${title} (${id}, ${url}): ${cure}, or accept it in accepted-advisories.json with a reason and a last day.`;
}
