import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Finds a port of 127.0.0.1 that nothing listens on, below the ports that systems give to outgoing connections: nothing
 * else takes the port while its server restarts, and a client that tries it meanwhile can't be connected with itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer().listen(port, '127.0.0.1');
    try {
      await once(probe, 'listening');
      return port;
    } catch {
      // Taken: try another.
    } finally {
      probe.close();
    }
  }
}
