import { startReceiver } from '../load/start-receiver.ts';
import type { Measure } from './measure.ts';
import { submitAndDrain } from './submit-and-drain.ts';

/** What it costs to tell somebody of each job. */
export const webhooks: Measure = {
  name: 'webhooks',
  title: 'With and without webhooks',
  explanation:
    'As above, with a webhook for each job to a receiver on loopback that takes everything: jobs by their last outcome, and deliveries by the last that was recorded.',
  mainFigure: 'jobsPerSecond',
  appliesTo: ({ name }) => name.startsWith('accepted-'),
  async run(session, size) {
    await using receiver = await startReceiver();
    const { contender, stores } = session;
    const jobs = size.webhookJobs;
    await session.startWorkers(1);
    await submitAndDrain(session, Math.ceil(jobs / 5), { webhookUrl: receiver.url });
    const without = await submitAndDrain(session, jobs);
    const before = await receiver.countReceived();
    const having = await submitAndDrain(session, jobs, { webhookUrl: receiver.url });
    const received = (await receiver.countReceived()) - before;
    if (received < jobs) throw new Error(`${received} of ${jobs} webhooks have arrived.`);
    const outcomes = await contender.listOutcomes(stores);
    const lastAt = outcomes.reduce((latest, { at }) => Math.max(latest, at), having.startedAt);
    const jobsPerSecond = (jobs / (lastAt - having.startedAt)) * 1_000;
    const deliveriesPerSecond = having.jobsPerSecond;
    return [
      { variant: { webhooks: false }, figures: { jobsPerSecond: without.jobsPerSecond } },
      { variant: { webhooks: true }, figures: { jobsPerSecond, deliveriesPerSecond } },
    ];
  },
};
