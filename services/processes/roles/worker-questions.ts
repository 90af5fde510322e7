import type { Worker } from 'node:cluster';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { Checks } from '../../http/standard/health.ts';

/**
 * A scrape or a probe of a port that workers share comes to any one of them. It asks the others by way of their parent,
 * the only one that has a channel to each.
 */
export interface Answers {
  metrics: readonly ScopeMetrics[];
  readiness: Checks;
}

/** From one worker; null if it does not run or does not answer. */
export interface Answer<Q extends keyof Answers> {
  worker: number;
  answer: Answers[Q] | null;
}

type Message =
  | { id: number; question: keyof Answers }
  | { id: number; answer: unknown }
  | { id: number; answers: readonly Answer<never>[] };

/** How long a worker is waited for, in ms: longer than its readiness takes, shorter than the usual timeout of scrapes. */
const TIMEOUT_MS = { metrics: 8000, readiness: 2500 };

const isMessage = (message: unknown): message is Message =>
  typeof message === 'object' && message !== null && 'id' in message;

/** The parent's part: returns what is to be done with a message of a worker. `workers` are those that serve, by their numbers less 1. */
export function passQuestions(workers: readonly (Worker | undefined)[]) {
  const waiting = new Map<number, (answer: unknown) => void>();
  let questions = 0;

  async function ask(worker: Worker | undefined, question: keyof Answers): Promise<unknown> {
    if (!worker?.isConnected()) return null;
    const id = questions++;
    const answered = Promise.withResolvers<unknown>();
    waiting.set(id, answered.resolve);
    const timer = setTimeout(answered.resolve, TIMEOUT_MS[question], null);
    send(worker, { id, question });
    const answer = await answered.promise;
    clearTimeout(timer);
    waiting.delete(id);
    return answer;
  }

  return async (from: Worker, message: unknown): Promise<void> => {
    if (!isMessage(message)) return;
    if ('answer' in message) waiting.get(message.id)?.(message.answer);
    if (!('question' in message)) return;
    const { id, question } = message;
    const others = workers.flatMap((worker, i) => (worker === from ? [] : [{ worker, number: i + 1 }]));
    const answers = await Promise.all(
      others.map(async ({ worker, number }) => ({ worker: number, answer: await ask(worker, question) })),
    );
    send(from, { id, answers });
  };
}

/** A worker's part: answers for this one, and returns the function that asks the others. */
export function questionsToOthers(own: { readonly [Q in keyof Answers]: () => Promise<Answers[Q]> }) {
  const waiting = new Map<number, (answers: readonly Answer<never>[]) => void>();
  let questions = 0;
  process.on('message', async (message: unknown) => {
    if (!isMessage(message)) return;
    const { id } = message;
    if ('question' in message) send(process, { id, answer: await own[message.question]().catch(() => null) });
    if (!('answers' in message)) return;
    waiting.get(id)?.(message.answers);
    waiting.delete(id);
  });
  return <Q extends keyof Answers>(question: Q): Promise<readonly Answer<Q>[]> =>
    new Promise((resolve) => {
      const id = questions++;
      waiting.set(id, resolve);
      send(process, { id, question });
    });
}

/** To one that has gone there is nothing to say. */
function send(to: Worker | NodeJS.Process, message: object): void {
  to.send!(message, undefined, undefined, () => {});
}
