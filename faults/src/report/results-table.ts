import type { ControlReport } from '../control/control-report.ts';
import { figure, type RunReport } from './run-report.ts';
import { writeDuration, writeNumber } from './wording.ts';

/** The runs that stand side by side: ours on each engine and over an hour, and bare BullMQ. */
export interface Results {
  redis: RunReport;
  postgres: RunReport;
  /** An hour on Redis. */
  soak?: RunReport;
  control: ControlReport;
}

interface Row {
  name: string;
  ours: (report: RunReport) => string;
  /** Left out where bare BullMQ has no such thing. */
  control?: (report: ControlReport) => string;
}

/** Stands where a run has no such figure. */
const NOTHING = '–';

const count = (id: string, name: string) => (report: RunReport) => writeNumber(figure(report, id, name));
const time = (id: string, name: string) => (report: RunReport) => writeDuration(figure(report, id, name));
const bold = (write: (report: RunReport) => string) => (report: RunReport) => `**${write(report)}**`;

const ROWS: Row[] = [
  {
    name: 'Acknowledged jobs',
    ours: count('I1', 'acknowledged'),
    control: ({ figures }) => writeNumber(figures.acknowledged),
  },
  {
    name: 'Faults, of so many kinds',
    ours: (report) => `${figure(report, 'Run', 'faults')}, ${figure(report, 'Run', 'kinds')}`,
    control: ({ faultsByKind }) => {
      const counts = Object.values(faultsByKind);
      return `${counts.reduce((sum, of) => sum + of, 0)}, ${counts.length}`;
    },
  },
  { name: '`kill -9`', ours: count('Run', 'kill9'), control: ({ traits }) => writeNumber(traits.kill9) },
  {
    name: 'Wipes of the engine',
    ours: count('Run', 'wipes'),
    control: ({ traits }) => writeNumber(traits.wipes),
  },
  { name: 'Crashes of Postgres', ours: count('Run', 'postgresCrashes') },
  {
    name: '**Lost jobs**',
    ours: bold(count('I1', 'lost')),
    control: ({ figures }) => `**${writeNumber(figures.lost)}**`,
  },
  {
    name: 'Done, but the outcome is forgotten',
    ours: count('I5', 'unrecordedEffects'),
    control: ({ figures }) => writeNumber(figures.forgotten),
  },
  {
    name: 'Failed though nothing was wrong with them',
    ours: count('I9', 'wrongEnds'),
    control: ({ figures }) => writeNumber(figures.wronglyFailed),
  },
  { name: 'Unexpected jobs', ours: count('I2', 'unexpected') },
  { name: 'Keys with two jobs, or replies that disagree', ours: count('I3', 'disagreements') },
  {
    name: 'Effects that happened twice, unfenced',
    ours: count('I4', 'duplicateFencedEffects'),
    control: ({ figures }) => writeNumber(figures.effectTwice),
  },
  { name: 'Jobs that ran again under a larger token', ours: count('I4', 'jobsWithMoreThanOneEffect') },
  {
    name: 'Writes of zombies that were refused',
    ours: count('I4', 'zombieWritesRefused'),
  },
  {
    name: 'Let in within ten seconds at a rate of 20 a second, 220 meant',
    ours: count('Admit', 'mostInWindow'),
  },
  { name: 'Not finished at once under a bound of 30', ours: count('Admit', 'mostLive') },
  { name: 'Illegal transitions', ours: count('I6', 'illegalTransitions') },
  { name: 'Webhook events', ours: count('I7', 'events') },
  { name: 'Events lost, altered, unsigned or under a second id', ours: count('I7', 'wrongDeliveries') },
  { name: 'Claimed again after a wipe, p50', ours: time('I8', 'recoveryP50Ms') },
  { name: 'Claimed again after a wipe, p99', ours: time('I8', 'recoveryP99Ms') },
  { name: 'Time to a `202` while Redis is away, p99', ours: redisAway(time('I8', 'acceptP99Ms')) },
  {
    name: 'Dispatches in vain, a job',
    ours: (report) => writeNumber(figure(report, 'I8', 'redispatches') / figure(report, 'I2', 'submitted')),
  },
  { name: 'Growth of the process that grew the most, MB an hour', ours: grown },
  {
    name: 'Commit',
    ours: ({ run }) => `\`${run.commit}\``,
    control: ({ run }) => `\`${run.commit}\``,
  },
  {
    name: 'Duration',
    ours: ({ run }) => writeDuration(run.endedAt - run.startedAt),
    control: ({ run }) => writeDuration(run.endedAt - run.startedAt),
  },
];

/** The pictures of the runs, in `docs/guarantees/`. */
export const PICTURES: { file: string; of: 'redis' | 'soak'; shows: string }[] = [
  {
    file: 'throughput.svg',
    of: 'redis',
    shows: 'Jobs acknowledged and finished per second, above the faults that were under way',
  },
  {
    file: 'latency.svg',
    of: 'redis',
    shows: 'Time to a 202 over the run, with the times in which Redis was away',
  },
  {
    file: 'recovery.svg',
    of: 'redis',
    shows: 'Share of the wiped jobs that were claimed again, by the time since the wipe',
  },
  {
    file: 'memory.svg',
    of: 'soak',
    shows: 'Resident memory of every process over an hour, whose last forty minutes had no faults',
  },
];

/** Writes the table of the guarantees page in Markdown, and the commands that the runs were started with. */
export function renderResults(results: Results): string {
  const { redis, postgres, soak, control } = results;
  const columns = [
    { title: 'Accepted, Redis engine', report: redis },
    { title: 'Accepted, Postgres engine', report: postgres },
    ...(soak ? [{ title: 'Accepted, an hour on Redis', report: soak }] : []),
  ];
  const runs = [...columns.map(({ report }) => report), control];
  const rows = ROWS.map(({ name, ours, control: theirs }) => ({
    name,
    cells: [...columns.map(({ report }) => ours(report)), theirs?.(control) ?? NOTHING],
  })).filter(({ cells }) => cells.some((cell) => cell !== NOTHING));
  return [
    `| | ${columns.map(({ title }) => title).join(' | ')} | bare BullMQ |`,
    `|---|${'--:|'.repeat(runs.length)}`,
    ...rows.map(({ name, cells }) => `| ${[name, ...cells].join(' | ')} |`),
    '',
    `Made on ${[...new Set(runs.map(dayOf))].join(', ')} by`,
    '',
    '```sh',
    ...runs.map(({ run }) => run.command),
    '```',
    '',
    ...PICTURES.filter(({ of }) => results[of]).map(({ file, shows }) => `![${shows}](guarantees/${file})`),
  ].join('\n');
}

function dayOf({ run }: { run: { startedAt: number } }): string {
  return new Date(run.startedAt).toISOString().slice(0, 10);
}

/** Only a soak has processes that live for long enough. */
function grown(report: RunReport): string {
  const isMeasured = figure(report, 'Memory', 'processesMeasured') > 0;
  return isMeasured ? writeNumber(figure(report, 'Memory', 'steepestMbPerHour')) : NOTHING;
}

/** The Postgres engine has no Redis that could be away. */
function redisAway(write: (report: RunReport) => string): (report: RunReport) => string {
  return (report) => (figure(report, 'I8', 'acceptsWithoutRedis') > 0 ? write(report) : '–');
}
