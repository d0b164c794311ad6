import { join } from 'node:path';
import {
  type AckLine,
  type FaultLine,
  LOG_FILES,
  type MemoryLine,
  type ProcessLine,
  type ReceiverLine,
  type WipeLine,
} from '../logs.ts';
import { type Journal, openJournal } from './journal.ts';

/** The logs that the suite itself writes during a run. */
export interface Journals {
  acks: Journal<AckLine>;
  receiver: Journal<ReceiverLine>;
  faults: Journal<FaultLine>;
  wipes: Journal<WipeLine>;
  processes: Journal<ProcessLine>;
  memory: Journal<MemoryLine>;
}

export async function openJournals(folder: string): Promise<Journals> {
  const at = (file: string) => join(folder, file);
  return {
    acks: await openJournal(at(LOG_FILES.acks)),
    receiver: await openJournal(at(LOG_FILES.receiver)),
    faults: await openJournal(at(LOG_FILES.faults)),
    wipes: await openJournal(at(LOG_FILES.wipes)),
    processes: await openJournal(at(LOG_FILES.processes)),
    memory: await openJournal(at(LOG_FILES.memory)),
  };
}

export async function closeJournals(journals: Journals): Promise<void> {
  await Promise.all(Object.values(journals).map((journal) => journal.close()));
}
