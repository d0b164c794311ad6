import { expect, test } from 'vitest';
import { COMMAND_COMPLETE, createPostgresScanner, READY_FOR_QUERY } from './scan-postgres.ts';
import { createRedisScanner } from './scan-redis.ts';

/** Cuts bytes into pieces of every size from one on, as TCP may. */
const inPieces = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );

const SIZES = [1, 2, 3, 4, 5, 7, 11, 1_000];

function postgresMessage(type: string, body: string): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, Buffer.from(body)]);
}

test.each(SIZES)(
  'each message of Postgres is seen once, whatever it carries, in pieces of %i bytes',
  (size) => {
    const bytes = Buffer.concat([
      postgresMessage('D', 'C Z C Z'),
      postgresMessage('C', 'INSERT 0 1\0'),
      postgresMessage('C', ''),
      postgresMessage('Z', 'I'),
    ]);
    const types: number[] = [];
    const scan = createPostgresScanner((type) => types.push(type));

    for (const piece of inPieces(bytes, size)) scan(piece);

    expect(types).toEqual(['D'.charCodeAt(0), COMMAND_COMPLETE, COMMAND_COMPLETE, READY_FOR_QUERY]);
  },
);

test.each(SIZES)('each command to Redis is seen once, whatever it carries, in pieces of %i bytes', (size) => {
  const get = '*2\r\n$3\r\nGET\r\n$8\r\n*1\r\n$1\r\n\r\n';
  const set = '*3\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\n\r\n\r\n';
  let commands = 0;
  const scan = createRedisScanner(() => {
    commands += 1;
  });

  for (const piece of inPieces(Buffer.from(get + set + get), size)) scan(piece);

  expect(commands).toBe(3);
});
