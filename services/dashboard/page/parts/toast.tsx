import { store, useStore } from '../state/store.ts';

/** How long a line stays, in ms. */
const STAYS_MS = 2600;

const lines = store<readonly { text: string }[]>([]);

/** Says that something was done, in one line. */
export function toast(text: string): void {
  const line = { text };
  lines.set([...lines.get(), line]);
  setTimeout(() => lines.set(lines.get().filter((one) => one !== line)), STAYS_MS);
}

export async function copy(text: string, said: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(said);
  } catch {
    // Without TLS a page may write to the clipboard on this machine only.
    prompt('Copy this:', text);
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {useStore(lines).map((line, i) => (
        <div key={i} class="toast">
          {line.text}
        </div>
      ))}
    </div>
  );
}
