import type { Worker } from 'node:cluster';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { Checks } from '../../http/standard/health.ts';
import { type Answerer, type Ask, portRequests } from '../../system/port-requests.ts';

/**
 * Questions to a worker, with the types of their answers. A scrape or a probe of a port that workers share comes to any
 * one of them, which asks the others by way of their parent, the only one that has a channel to each.
 */
export interface Answers {
  metrics: readonly ScopeMetrics[];
  readiness: Checks;
}

/** The answer of one worker, by its number; null if it does not run or does not answer. */
export interface Answer<Q extends keyof Answers> {
  worker: number;
  answer: Answers[Q] | null;
}

/** Longest wait for a worker, in ms: longer than its readiness takes, shorter than the usual timeout of scrapes. */
const TIMEOUT_MS = { metrics: 8000, readiness: 2500 };

/**
 * The parent's part: passes the questions of a worker on to the others, and returns the function that asks this one.
 *
 * @param workers those that serve, by their numbers less 1
 */
export function passQuestions(worker: Worker, workers: readonly (Ask<Answers> | undefined)[]): Ask<Answers> {
  const ask = portRequests<Answers>(worker, {
    metrics: () => askOthers('metrics'),
    readiness: () => askOthers('readiness'),
  });
  function askOthers<Q extends keyof Answers>(question: Q): Promise<Answer<Q>[]> {
    const answerOf = async (other: Ask<Answers> | undefined, i: number) => {
      return { worker: i + 1, answer: (await other?.(question, TIMEOUT_MS[question])) ?? null };
    };
    return Promise.all(workers.flatMap((other, i) => (other === ask ? [] : [answerOf(other, i)])));
  }
  return ask;
}

/** A worker's part: answers for this one, and returns the function that asks the others. */
export function questionsToOthers(own: Answerer<Answers>) {
  const ask = portRequests<{ [Q in keyof Answers]: readonly Answer<Q>[] }>(process, own);
  return async <Q extends keyof Answers>(question: Q): Promise<readonly Answer<Q>[]> => (await ask(question)) ?? [];
}
