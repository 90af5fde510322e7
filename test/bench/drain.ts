import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MODELS } from '../../services/attribution/decision/models.ts';
import { GROUP } from '../../services/attribution/partition/opening.ts';
import type { EventLog } from '../../services/log/event-log.ts';
import { type ServiceProcess, startService } from '../fixtures/service-process.ts';
import { KAFKA } from '../needs.ts';
import { type BenchKafka, startBenchKafka } from './bench-kafka.ts';
import { drainLoad } from './drain-load.ts';
import type { Figure, Scenario } from './scenario.ts';
import { peakResidentBytes, processTree, treeCpuSeconds } from './usage.ts';

const WORKERS = 2;
const POLL_MS = 50;
const FULL = { events: 6_000_000, users: 200_000, manyUsers: 2_000_000 };
const QUICK: typeof FULL = { events: 5000, users: 200, manyUsers: 2000 };
const HOT_SHARE = 0.1;
/** The peers have no other model. */
const LAST_CLICK = 'last_click';
const FIVE_MODELS = Object.keys(MODELS).join(',');

const METHOD =
  "raw-events (4 partitions; zstd, which our producer makes of large batches, where the peers' topic is lz4) filled with " +
  `${FULL.events.toLocaleString('en-US')} events, 10 % conversions and 5 % of these repeated, over 36 h of event ` +
  `time; then ${WORKERS} processes \`clickmesh attribution\` fold them all under last_click, with counters, ` +
  'decisions and deduplication. From when the processes are ready, as the peers are measured from the first record they ' +
  'saw, until the whole topic is committed; CPU and memory are those of these processes, of memory the peaks together. ' +
  'Every credit in attributed-events is compared with the ' +
  "generator's own attribution.";

export const drain: Scenario<BenchKafka>[] = [
  scenario('drain', `${METHOD} ${FULL.users.toLocaleString('en-US')} users.`, (kafka, size) => runDrain(kafka, size)),
  scenario('drain-five-models', 'drain under all five models, which is the default.', (kafka, size) =>
    runDrain(kafka, size, 0, FIVE_MODELS),
  ),
  scenario('drain-many-users', `drain with ${FULL.manyUsers.toLocaleString('en-US')} users.`, (kafka, size) =>
    runDrain(kafka, { ...size, users: size.manyUsers }),
  ),
  scenario('drain-hot-user', `drain with one user who has ${HOT_SHARE * 100} % of all events.`, (kafka, size) =>
    runDrain(kafka, size, HOT_SHARE),
  ),
  scenario(
    'drain-next-day',
    'drain, and behind it in the log the same again 36 h of event time later, folded by the same processes on top of the ' +
      'state. The second day begins when half of all events are committed, between two commits in proportion.',
    runNextDay,
  ),
];

function scenario(
  name: string,
  method: string,
  run: (kafka: BenchKafka, size: typeof FULL) => Promise<Figure[]>,
): Scenario<BenchKafka> {
  return {
    ...{ name, method, needs: KAFKA, start: startBenchKafka },
    run: (kafka, quick) => run(kafka, quick ? QUICK : FULL),
  };
}

async function runDrain(
  kafka: BenchKafka,
  { events, users }: typeof FULL,
  hotShare = 0,
  models = LAST_CLICK,
): Promise<Figure[]> {
  const load = drainLoad({ users, hotShare, eventsPerSpan: events, spans: 1 });
  await load.produce(kafka.log);
  const cost = await measureDrain(kafka, events, models);
  await load.verify(kafka.log);
  return [
    { name: 'committed', value: cost.perSecond, unit: 'events/s' },
    { name: 'committed, the start of the processes included', value: cost.perSecondFromStart, unit: 'events/s' },
    { name: 'CPU', value: cost.cpuPerMillion, unit: 'CPU-s per million events' },
    { name: 'CPU of Kafka', value: cost.kafkaCpuPerMillion, unit: 'CPU-s per million events' },
    { name: 'peak memory', value: cost.peakMemory, unit: 'MiB' },
  ];
}

async function runNextDay(kafka: BenchKafka, { events, users }: typeof FULL): Promise<Figure[]> {
  const load = drainLoad({ users, hotShare: 0, eventsPerSpan: events, spans: 2 });
  await load.produce(kafka.log);
  await load.produce(kafka.log);
  const { steps, peakMemory } = await measureDrain(kafka, 2 * events, LAST_CLICK);
  await load.verify(kafka.log);
  const bounds = [steps[0]!, stepAt(events, steps), steps.at(-1)!];
  const days = [1, 2].flatMap((day) => {
    const [begin, end] = [bounds[day - 1]!, bounds[day]!];
    return [
      { name: `day ${day}: committed`, value: (1000 * events) / (end.at - begin.at), unit: 'events/s' },
      { name: `day ${day}: CPU`, value: (end.cpu - begin.cpu) / (events / 1e6), unit: 'CPU-s per million events' },
    ];
  });
  return [...days, { name: 'peak memory', value: peakMemory, unit: 'MiB' }];
}

/** How far a drain had come: time by performance.now(), CPU seconds of the workers. */
interface Step {
  at: number;
  cpu: number;
  committed: number;
}

/** When so many events were committed: between two steps in proportion. */
function stepAt(committed: number, steps: readonly Step[]): Step {
  const next = steps.findIndex((step) => step.committed >= committed);
  const [before, after] = [steps[next - 1]!, steps[next]!];
  const share = (committed - before.committed) / (after.committed - before.committed);
  const between = (a: number, b: number) => a + share * (b - a);
  return { at: between(before.at, after.at), cpu: between(before.cpu, after.cpu), committed };
}

interface Drain {
  perSecond: number;
  perSecondFromStart: number;
  cpuPerMillion: number;
  kafkaCpuPerMillion: number;
  /** In MiB. */
  peakMemory: number;
  /** From when the processes are ready, one for each commit. */
  steps: Step[];
}

/** Starts attribution on raw-events, which has `events` records, and stops it when it has folded them. */
async function measureDrain(kafka: BenchKafka, events: number, models: string): Promise<Drain> {
  const kafkaBefore = treeCpuSeconds(kafka.pid);
  const started = performance.now();
  const workers = await startWorkers(kafka, models);
  const cpuOfWorkers = () => sum(workers.map(({ pid }) => treeCpuSeconds(pid)));
  const stepTo = (committed: number): Step => ({ at: performance.now(), cpu: cpuOfWorkers(), committed });
  try {
    const ready = stepTo(0);
    const steps = [ready];
    await untilCommitted(kafka.log, (committed) => {
      if (committed > steps.at(-1)!.committed) steps.push(stepTo(committed));
    });
    const done = stepTo(events);
    const millions = events / 1e6;
    return {
      perSecond: (1000 * events) / (done.at - ready.at),
      perSecondFromStart: (1000 * events) / (done.at - started),
      cpuPerMillion: (done.cpu - ready.cpu) / millions,
      kafkaCpuPerMillion: (treeCpuSeconds(kafka.pid) - kafkaBefore) / millions,
      peakMemory: sum(workers.flatMap(({ pid }) => processTree(pid).map(peakResidentBytes))) / 2 ** 20,
      steps,
    };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

function startWorkers({ bootstrap, dir }: BenchKafka, models: string): Promise<ServiceProcess[]> {
  const names = Array.from({ length: WORKERS }, (_, i) => `attribution-${i + 1}`);
  const start = (name: string) =>
    startService('attribution', {
      ...{ KAFKA_BROKERS: bootstrap, NODE_ID: name, STATE_DIR: join(dir, name) },
      MODELS: models,
    });
  return Promise.all(names.map(start));
}

/** Tells how many records are committed whenever it looks. */
async function untilCommitted(log: EventLog, tell: (committed: number) => void): Promise<void> {
  const ends = (await log.offsets('raw-events')).map(({ end }) => end);
  for (;;) {
    const positions = await log.committed('raw-events', GROUP);
    tell(sum(positions.map(({ offset }) => offset)));
    const committed = new Map(positions.map(({ partition, offset }) => [partition, offset]));
    if (ends.every((end, partition) => (committed.get(partition) ?? 0) >= end)) return;
    await sleep(POLL_MS);
  }
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
