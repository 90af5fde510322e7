import { MultipleErrors, protocolErrors, protocolErrorsCodesById, ResponseError } from '@platformatic/kafka';

/** Names of the errors that a broker answered with, such as "NOT_LEADER_OR_FOLLOWER"; none if it did not answer. */
export function brokerErrors(error: unknown): string[] {
  if (error instanceof MultipleErrors) return error.errors.flatMap(brokerErrors);
  return error instanceof Error && 'apiId' in error ? [String(error.apiId)] : [];
}

/** Whether the same request may succeed later: the broker did not answer, or said so. */
export function isPassing(error: unknown): boolean {
  return brokerErrors(error).every((name) => protocolErrors[name]!.canRetry);
}

/** The error that a code in an answer stands for; undefined for 0. */
export function errorOfCode(code: number): { name: string; passing: boolean } | undefined {
  if (code === 0) return undefined;
  const name = protocolErrorsCodesById[code];
  return name === undefined
    ? { name: `error ${code}`, passing: false }
    : { name, passing: protocolErrors[name]!.canRetry };
}

/** The answer about several partitions, also if it has errors: then their codes are in it. */
export async function partialAnswer<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ResponseError && 'response' in error) return error.response as T;
    throw error;
  }
}
