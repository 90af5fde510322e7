#!/usr/bin/env node
import { ConnectError } from '@connectrpc/connect';
import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { auditCommand } from './audit/audit.ts';
import { clusterCommand } from './cluster.ts';
import { conflictsCommand } from './conflicts/conflicts.ts';
import { generateCommand } from './generate/generate.ts';
import { lines } from './print.ts';
import { attributionCommand, gatewayCommand, migrateCommand, statsServiceCommand, topicsCommand } from './processes.ts';
import { replayCommand } from './replay/replay.ts';
import { conversionsCommand } from './stats/conversions.ts';
import { explainCommand } from './stats/explain.ts';
import { pathsCommand } from './stats/paths.ts';
import { statsCommand } from './stats/stats.ts';
import { watchCommand } from './stats/watch.ts';
import { statusCommand } from './status.ts';
import { upCommand } from './up.ts';

const program = new Command('clickmesh')
  .description(packageJson.description)
  .version(packageJson.version)
  .addCommand(upCommand)
  .addCommand(generateCommand)
  .addCommand(replayCommand)
  .addCommand(statsCommand)
  .addCommand(explainCommand)
  .addCommand(conversionsCommand)
  .addCommand(pathsCommand)
  .addCommand(watchCommand)
  .addCommand(auditCommand)
  .addCommand(conflictsCommand)
  .addCommand(clusterCommand)
  .addCommand(statusCommand)
  .addCommand(topicsCommand)
  .addCommand(migrateCommand)
  .addCommand(gatewayCommand)
  .addCommand(attributionCommand)
  .addCommand(statsServiceCommand);

try {
  await program.parseAsync();
} catch (error) {
  const text = error instanceof ConnectError ? error.rawMessage : error instanceof Error ? error.message : error;
  process.stderr.write(`clickmesh: ${lines(String(text))}\n`);
  process.exitCode ||= 1;
}
