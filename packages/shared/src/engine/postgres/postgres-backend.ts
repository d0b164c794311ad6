import {
  assertSchemaCompatibility,
  type BackendFactory,
  PostgresConnection,
  type PostgresConnectionOptions,
  PostgresQueueBackend,
} from 'bullmq';
import { WORKER_SETTINGS } from '../bullmq-store.ts';

/**
 * Is BullMQ's connection to Postgres, but remembers only a check of the schema that went well. BullMQ 6.7 remembers a
 * failed one too: a queue that is first used while Postgres is away would fail for as long as the process lives.
 */
class PatientConnection extends PostgresConnection {
  #checked: Promise<unknown> | undefined;

  override async waitUntilReady(): Promise<void> {
    this.#checked ??= this.#check();
    await this.#checked;
  }

  async #check(): Promise<void> {
    try {
      await assertSchemaCompatibility(this.pool, this.schema);
    } catch (error) {
      this.#checked = undefined;
      throw error;
    }
  }
}

/**
 * Is BullMQ's backend on Postgres, but lets nobody wait longer than on Redis. After a wait that failed, BullMQ waits
 * as long as the backend allows, by itself an hour: a worker that lost Postgres and then missed a notification would
 * sleep through it.
 */
class PatientBackend extends PostgresQueueBackend {
  override get maximumBlockTimeout(): number {
    return WORKER_SETTINGS.drainDelay;
  }
}

/** Makes the backend of one queue or worker; a worker's connection bears the queue's name, by which BullMQ finds it. */
export const createPatientBackend: BackendFactory<PatientBackend, PostgresConnectionOptions> = (
  name,
  options,
  { withBlockingConnection } = {},
) => {
  const connection = new PatientConnection(options.connection);
  return new PatientBackend(connection, name, options, true, withBlockingConnection ? name : undefined);
};
