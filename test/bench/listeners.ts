import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { grpcClient } from './clients.ts';
import { closedLoop, percentile } from './load.ts';
import { ingestProto, prepareRequests } from './requests.ts';
import type { Figure, Scenario } from './scenario.ts';

const CONNECTIONS = 64;
const FULL = { warmUpSeconds: 3, rounds: 5, seconds: 4, poolEvents: 50_000 };
const QUICK: typeof FULL = { warmUpSeconds: 0.1, rounds: 1, seconds: 0.2, poolEvents: 500 };

/** What the RPC layer itself costs, compared with the libraries that would otherwise do its work. */
export const listeners: Scenario = {
  name: 'listeners',
  method:
    `Unary gRPC of one event over ${CONNECTIONS} connections, as many as ${CONNECTIONS} in flight give, on three servers ` +
    'in processes of their own with the same handler and a log that takes everything at once and keeps nothing: ' +
    `clickmesh's listener, connect-node and @grpc/grpc-js. ${FULL.rounds} rounds of ${FULL.seconds} s each in turn; CPU is ` +
    "the server process's alone. No mesh takes part.",
  run: (_mesh, quick) => runListeners(quick ? QUICK : FULL),
};

async function runListeners({ warmUpSeconds, rounds, seconds, poolEvents }: typeof FULL): Promise<Figure[]> {
  const requests = prepareRequests(ingestProto, 1, poolEvents);
  const servers = [await start('clickmesh'), await start('connect-node'), await start('grpc-js')];
  const send = (server: Server) => () => server.client.send(requests.next());
  for (const server of servers) await closedLoop(CONNECTIONS, warmUpSeconds, send(server));
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      const before = await server.cpuSeconds();
      const load = await closedLoop(CONNECTIONS, seconds, send(server));
      server.costs.push(((await server.cpuSeconds()) - before) / load.requests);
    }
  }
  for (const server of servers) await server.stop();
  return figures(servers);
}

function figures([ours, connectNode, grpcJs]: Server[]): Figure[] {
  const cost = ({ name, costs }: Server): Figure => {
    return { name, value: median(costs) * 10_000, unit: 'CPU-s per 10k requests' };
  };
  const ratio = (other: Server, atMost: number): Figure => ({
    name: `clickmesh ÷ ${other.name}`,
    value: median(ours!.costs.map((own, round) => own / other.costs[round]!)),
    unit: 'CPU per request',
    floor: { atMost },
  });
  return [cost(ours!), cost(connectNode!), cost(grpcJs!), ratio(connectNode!, 0.4), ratio(grpcJs!, 0.85)];
}

function median(values: number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

type Server = Awaited<ReturnType<typeof start>>;

async function start(name: string) {
  const child = fork(fileURLToPath(new URL('./listener-child.ts', import.meta.url)), [name]);
  const exited = once(child, 'exit');
  const [port] = await once(child, 'message');
  const client = grpcClient(`http://127.0.0.1:${port}`, '/clickmesh.v1.IngestService/Ingest', CONNECTIONS);
  return {
    name,
    client,
    /** CPU seconds per request, by round. */
    costs: [] as number[],
    async cpuSeconds(): Promise<number> {
      child.send('cpu');
      const [{ user, system }] = await once(child, 'message');
      return (user + system) / 1e6;
    },
    async stop() {
      client[Symbol.dispose]();
      child.disconnect();
      await exited;
    },
  };
}
