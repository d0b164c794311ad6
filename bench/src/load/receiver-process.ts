// A receiver of webhooks that takes everything; it is asked with GET how much that was.
import { createServer } from 'node:http';

let received = 0;

const server = createServer((request, response) => {
  if (request.method === 'GET') return void response.end(String(received));
  request.resume().on('end', () => {
    received += 1;
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object') process.stdout.write(`listening on ${address?.port}\n`);
});
