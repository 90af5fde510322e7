/** A channel of messages to another thread or process: a Worker or the port to its parent, a process or `process`. */
export interface Port {
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: 'exit', listener: () => void): unknown;
  postMessage?(message: object): void;
  send?(message: object, handle: undefined, options: undefined, sent: (error: Error | null) => void): boolean;
}

/** How one side answers each question of the other. */
export type Answerer<Answers> = { readonly [Q in keyof Answers]: () => Promise<Answers[Q]> };

/**
 * Asks the other side. Resolves with undefined if that has ended, is not reached, fails to answer or takes longer than
 * `timeoutMs`.
 */
export type Ask<Answers> = <Q extends keyof Answers & string>(
  question: Q,
  timeoutMs?: number,
) => Promise<Answers[Q] | undefined>;

type Message = { id: number; question: string } | { id: number; answer: unknown };

/** Answers the questions of the other side, and returns the function that asks it. Leaves other messages alone. */
export function portRequests<Answers>(port: Port, own: Answerer<Record<string, unknown>> = {}): Ask<Answers> {
  const waiting = new Map<number, (answer: unknown) => void>();
  let lastId = 0;
  let ended = false;

  function settle(id: number, answer?: unknown): void {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  }

  port.on('message', async (message) => {
    if (!isMessage(message)) return;
    const { id } = message;
    if ('answer' in message) settle(id, message.answer ?? undefined);
    // Processes speak JSON, in which undefined is lost.
    else post(port, { id, answer: (await own[message.question]?.().catch(() => null)) ?? null });
  });
  port.once('exit', () => {
    ended = true;
    for (const id of waiting.keys()) settle(id);
  });

  return (question, timeoutMs) => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const id = ++lastId;
    const timer = timeoutMs === undefined ? undefined : setTimeout(settle, timeoutMs, id);
    waiting.set(id, resolve);
    if (ended) settle(id);
    else post(port, { id, question }, () => settle(id));
    return promise.finally(() => clearTimeout(timer)) as Promise<never>;
  };
}

function isMessage(message: unknown): message is Message {
  if (typeof message !== 'object' || message === null || !('id' in message)) return false;
  return 'question' in message || 'answer' in message;
}

function post(port: Port, message: Message, failed = () => {}): void {
  if (port.postMessage) port.postMessage(message);
  else port.send!(message, undefined, undefined, (error) => error && failed());
}
