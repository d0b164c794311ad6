import type { Fault } from '../fault.ts';
import { terminateOthers } from './session.ts';

export const terminateSessions: Fault = {
  kind: 'postgres-sessions-terminated',
  async inject({ world: { postgres } }) {
    const ended = await postgres.asAdmin(terminateOthers);
    if (ended === 0) throw new Error('there was no session to terminate');
    return { target: 'postgres', proof: `${ended} sessions were terminated` };
  },
};
