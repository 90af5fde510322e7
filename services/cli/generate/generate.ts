import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { Command } from 'commander';
import { day, integer, share } from '../options.ts';
import { type GenerateOptions, generateEvents } from './journeys.ts';

const CHUNK_CHARACTERS = 64 * 1024;

/** `clickmesh generate`: synthetic journeys as NDJSON. */
export const generateCommand = new Command('generate')
  .description(
    'Write synthetic clicks, conversions and what takes them back to stdout, one JSON a line: a pure function of the options.',
  )
  .option('--events <n>', 'lines to write, duplicates and all else included', integer(1), 100_000)
  .option('--users <n>', 'users, of Zipf popularity', integer(1, 10_000_000), 10_000)
  .option('--campaigns <n>', 'campaigns, of Zipf popularity', integer(1, 1_000_000), 50)
  .option('--seed <n>', 'another seed gives other events', integer(0, 0xffffffff), 1)
  .option('--days <n>', 'days up to and including --end', integer(1, 3650), 7)
  .option('--end <day>', 'last day, YYYY-MM-DD (UTC)', day, '2025-12-31')
  .option('--conversion-rate <share>', 'clicks followed by a conversion', share, 0.05)
  .option('--refunds <share>', 'conversions adjusted later: refunded in part or whole, restated, retracted', share, 0)
  .option('--invalid <share>', 'clicks found invalid later, some of them valid again after that', share, 0)
  .option('--duplicates <share>', 'events sent twice', share, 0.05)
  .option(
    '--late <share>',
    'converting clicks sent after their conversion, corrected events after their correction',
    share,
    0.05,
  )
  .option('--disorder <ms>', 'longest time between an event and its sending', integer(0), 5000)
  .addHelpText(
    'after',
    '\nExamples:\n  clickmesh generate --events 1000 | clickmesh replay -\n  clickmesh generate --seed 7 --refunds 0.1 --invalid 0.05 | gzip > events.ndjson.gz',
  )
  .action(async ({ disorder, ...options }: Omit<GenerateOptions, 'disorderMs'> & { disorder: number }) => {
    // A reader that had enough (`| head`) is no error.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
    await writeEvents({ ...options, disorderMs: disorder }, process.stdout);
  });

async function writeEvents(options: GenerateOptions, out: Writable): Promise<void> {
  let chunk = '';
  for (const event of generateEvents(options)) {
    chunk += `${JSON.stringify(event)}\n`;
    if (chunk.length < CHUNK_CHARACTERS) continue;
    if (!out.write(chunk)) await once(out, 'drain');
    chunk = '';
  }
  out.write(chunk);
}
