import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to the mesh on which answers get lost. */
export interface FlakyProxy extends AsyncDisposable {
  url: string;
  /** Answers lost so far. */
  lost(): number;
}

const FRAME_HEADER_BYTES = 9;
const HEADERS_FRAME = 1;

/**
 * Passes connections on to the mesh, but breaks every other one, from the first on, at its first answer: the mesh has
 * taken what was sent, and its client doesn't know.
 */
export async function startFlakyProxy(meshUrl: string): Promise<FlakyProxy> {
  const { hostname, port } = new URL(meshUrl);
  const open = new Set<Socket>();
  let connections = 0;
  let lost = 0;

  const server = createServer((client) => {
    const breaks = connections++ % 2 === 0;
    const mesh = connect(Number(port), hostname);
    const breakOff = () => {
      client.destroy();
      mesh.destroy();
    };
    for (const socket of [client, mesh]) {
      open.add(socket);
      socket.on('error', breakOff);
      socket.on('close', () => open.delete(socket));
    }
    client.pipe(mesh);
    if (!breaks) return void mesh.pipe(client);
    const isAnswer = answerDetector();
    mesh.on('data', (chunk) => {
      if (!isAnswer(chunk)) return void client.write(chunk);
      lost++;
      breakOff();
    });
    mesh.on('close', breakOff);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lost: () => lost,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Tells whether an answer begins in the next chunk: anything over HTTP/1.1, a HEADERS frame over HTTP/2. */
function answerDetector(): (chunk: Buffer) => boolean {
  let unread: Buffer = Buffer.alloc(0);
  return (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    if (unread.subarray(0, 5).toString() === 'HTTP/') return true;
    while (unread.length >= FRAME_HEADER_BYTES) {
      if (unread[3] === HEADERS_FRAME) return true;
      const frame = FRAME_HEADER_BYTES + unread.readUIntBE(0, 3);
      if (unread.length < frame) return false;
      unread = unread.subarray(frame);
    }
    return false;
  };
}
