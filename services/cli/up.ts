import { Command, Option } from 'commander';

/** `clickmesh up`: the whole mesh in this process tree. Returns when it has been stopped and has drained. */
export const upCommand = new Command('up')
  .description('Start the whole mesh here: gateway, log, attribution, ClickHouse and stats.')
  .addOption(new Option('--port <port>', 'port of REST, Connect, gRPC and gRPC-Web').env('PORT'))
  .addOption(new Option('--host <address>', 'address to listen on').env('HOST'))
  .addOption(new Option('--data-dir <folder>', 'where everything is kept').env('DATA_DIR'))
  .addHelpText('after', '\nExample:\n  clickmesh up --port 9000 --data-dir /var/lib/clickmesh')
  .action(async (options: { port?: string; host?: string; dataDir?: string }) => {
    const { startTelemetry } = await import('../telemetry/start.ts');
    await startTelemetry('clickmesh');
    const { runMesh } = await import('../processes/up/embedded-mesh.ts');
    const { port, host, dataDir } = options;
    await runMesh({
      ...process.env,
      ...(port !== undefined && { PORT: port }),
      ...(host !== undefined && { HOST: host }),
      ...(dataDir !== undefined && { DATA_DIR: dataDir }),
    });
  });
