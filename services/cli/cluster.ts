import { Command, Option } from 'commander';
import { DATA_DIR, HOST, withFlags } from './processes.ts';

/** `clickmesh cluster`: a distributed mesh on this machine. Returns when it has been stopped and has drained. */
export const clusterCommand = new Command('cluster')
  .description('Start a distributed mesh here: Kafka, two ClickHouse shards, attribution nodes and gateways.')
  .addOption(new Option('--brokers <n>', 'Kafka brokers, 1 or 3 (default: 1)').env('BROKERS'))
  .addOption(new Option('--gateways <n>', '(default: 2)').env('GATEWAYS'))
  .addOption(new Option('--attribution <n>', 'attribution nodes (default: 2)').env('ATTRIBUTION_NODES'))
  .addOption(new Option('--partitions <n>', 'of every topic (default: 16)').env('PARTITIONS'))
  .addOption(new Option('--port <port>', 'port that the gateways share').env('PORT'))
  .addOption(HOST)
  .addOption(DATA_DIR)
  .addHelpText('after', '\nNeeds Java 17 and Maven.\n\nExample:\n  clickmesh cluster --brokers 3 --gateways 2')
  .action(async (_, command: Command) => {
    const { runCluster } = await import('../processes/cluster/cluster.ts');
    await runCluster(withFlags(command));
  });
