import { Command, Option } from 'commander';

const KAFKA = new Option('--kafka-brokers <addresses>', 'as host:port,host:port').env('KAFKA_BROKERS');
const CLICKHOUSE = new Option('--clickhouse-url <urls>', 'of every server, separated by commas').env('CLICKHOUSE_URL');
export const PORT = new Option('--port <port>', 'port to listen on (default: 8080)').env('PORT');
export const HOST = new Option('--host <address>', 'address to listen on (default: 127.0.0.1)').env('HOST');
export const DATA_DIR = new Option('--data-dir <folder>', 'where everything is kept').env('DATA_DIR');

/** The environment with the values of flags under the names of the variables they stand for. */
export function withFlags(command: Command): NodeJS.ProcessEnv {
  const values = command.opts<Record<string, string | undefined>>();
  const flags = command.options.flatMap((option) => {
    const value = values[option.attributeName()];
    return option.envVar === undefined || value === undefined ? [] : [[option.envVar, String(value)]];
  });
  return { ...process.env, ...Object.fromEntries(flags) };
}

/** `clickmesh gateway` */
export const gatewayCommand = new Command('gateway')
  .description('Run a gateway of a distributed mesh; with a ClickHouse it answers stats and status, too.')
  .addOption(KAFKA)
  .addOption(CLICKHOUSE)
  .addOption(PORT)
  .addOption(HOST)
  .addOption(new Option('--workers <n>', 'processes it is made of (default: one a core)').env('GATEWAY_WORKERS'))
  .action(async (_, command: Command) => {
    const env = withFlags(command);
    const { gatewayWorkers } = await import('../processes/settings/config.ts');
    const workers = gatewayWorkers(env);
    if (workers > 1) {
      const { runGatewayWorkers } = await import('../processes/roles/gateway-workers.ts');
      return runGatewayWorkers(env, workers);
    }
    const { startTelemetry } = await import('../telemetry/start.ts');
    await startTelemetry('clickmesh-gateway', env.GATEWAY_WORKER_NUMBER);
    const { runGateway } = await import('../processes/roles/gateway-process.ts');
    await runGateway(env);
  });

/** `clickmesh attribution` */
export const attributionCommand = new Command('attribution')
  .description('Run an attribution node of a distributed mesh.')
  .addOption(KAFKA)
  .addOption(new Option('--state-dir <folder>', 'where the states of its partitions are kept').env('STATE_DIR'))
  .addOption(new Option('--node-id <name>', 'under which it gets its partitions back after a restart').env('NODE_ID'))
  .addOption(PORT)
  .addOption(HOST)
  .action(async (_, command: Command) => {
    const { startTelemetry } = await import('../telemetry/start.ts');
    await startTelemetry('clickmesh-attribution');
    const { runAttribution } = await import('../processes/roles/attribution-process.ts');
    await runAttribution(withFlags(command));
  });

/** `clickmesh stats-service`; `clickmesh stats` asks one. */
export const statsServiceCommand = new Command('stats-service')
  .description('Run the stats service of a distributed mesh alone.')
  .addOption(CLICKHOUSE)
  .addOption(PORT)
  .addOption(HOST)
  .action(async (_, command: Command) => {
    const { startTelemetry } = await import('../telemetry/start.ts');
    await startTelemetry('clickmesh-stats');
    const { runStats } = await import('../processes/roles/stats-process.ts');
    await runStats(withFlags(command));
  });

/** `clickmesh topics` */
export const topicsCommand = new Command('topics')
  .description('Create the topics that are missing in Kafka, and say what differs on those that exist.')
  .addOption(KAFKA)
  .addOption(new Option('--partitions <n>', 'of every topic (default: 16)').env('PARTITIONS'))
  .addOption(new Option('--replication-factor <n>', '(default: 3)').env('REPLICATION_FACTOR'))
  .action(async (_, command: Command) => {
    const { createTopics } = await import('../processes/roles/setup-processes.ts');
    const differences = await createTopics(withFlags(command));
    process.stdout.write(differences.map((line) => `${line}\n`).join(''));
  });

/** `clickmesh migrate` */
export const migrateCommand = new Command('migrate')
  .description('Create or update the tables on every ClickHouse server, fed from Kafka.')
  .addOption(KAFKA)
  .addOption(CLICKHOUSE)
  .addOption(new Option('--cluster <name>', 'in their remote_servers, of more than one').env('CLICKHOUSE_CLUSTER'))
  .addOption(new Option('--replicated', 'with Replicated engines').env('CLICKHOUSE_REPLICATED'))
  .action(async (_, command: Command) => {
    const { migrateServers } = await import('../processes/roles/setup-processes.ts');
    await migrateServers(withFlags(command));
  });
