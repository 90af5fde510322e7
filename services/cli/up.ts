import { Command } from 'commander';
import { DATA_DIR, HOST, PORT, withFlags } from './processes.ts';

/** `clickmesh up`: the whole mesh in this process tree. Returns when it has been stopped and has drained. */
export const upCommand = new Command('up')
  .description('Start the whole mesh here: gateway, log, attribution, ClickHouse and stats.')
  .addOption(PORT)
  .addOption(HOST)
  .addOption(DATA_DIR)
  .addHelpText('after', '\nExample:\n  clickmesh up --port 9000 --data-dir /var/lib/clickmesh')
  .action(async (_, command: Command) => {
    const { startTelemetry } = await import('../telemetry/start.ts');
    await startTelemetry('clickmesh');
    const { runMesh } = await import('../processes/up/embedded-mesh.ts');
    await runMesh(withFlags(command));
  });
