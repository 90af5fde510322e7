/** Returns what a GET of the mesh answers. Throws an Error of one line if it does not answer, or answers an error. */
export async function getText(url: string, path: string, timeoutMs: number): Promise<string> {
  const response = await fetch(`${url}${path}`, { signal: AbortSignal.timeout(timeoutMs) }).catch((error) => {
    throw new Error(`${url} does not answer: ${error.cause?.message ?? error.message}`);
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}${path} answers ${response.status}: ${text}`);
  return text;
}
