import type { Attack } from '../attack.ts';
import { burstWithoutKey } from './burst-without-key.ts';
import { costlyFaults } from './costly-faults.ts';
import { guessedKeys } from './guessed-keys.ts';
import { endlessChunkExtensions, endlessInterimReplies } from './hostile-receiver.ts';
import { largeDeadLetters } from './large-dead-letters.ts';
import { largestPayloads } from './largest-payloads.ts';
import { slowSenders } from './slow-senders.ts';
import { tarpit } from './tarpit.ts';
import { unreadReplies } from './unread-replies.ts';
import { urgentFlood } from './urgent-flood.ts';
import { waitingCrowd } from './waiting-crowd.ts';

export const ALL_ATTACKS: readonly Attack[] = [
  unreadReplies,
  burstWithoutKey,
  slowSenders,
  guessedKeys,
  costlyFaults,
  largestPayloads,
  waitingCrowd,
  urgentFlood,
  endlessInterimReplies,
  endlessChunkExtensions,
  tarpit,
  largeDeadLetters,
];
