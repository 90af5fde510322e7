import { useEffect } from 'preact/hooks';
import { toggleTheme } from '../state/theme.ts';
import { change, go, urlState } from '../state/url.ts';
import { copyLink } from './permalink.ts';
import { VIEWS } from './views.ts';

/** Time after "g" in which a letter goes to a view, in ms. */
const AFTER_G_MS = 1200;

const KEYS: readonly [what: string, ...keys: string[]][] = [
  ['Find or filter', '/'],
  ['Net or gross', 'n'],
  ['Copy link', 'y'],
  ['Light or dark', 't'],
  ['Pause the live tail', 'space'],
  ['Next bucket of a chart', '→'],
  ['Close', 'esc'],
  ['This list', '?'],
];

export function openShortcuts(): void {
  document.querySelector<HTMLDialogElement>('#keys')!.showModal();
}

const ACTIONS: Readonly<Record<string, () => void>> = {
  '?': openShortcuts,
  '/': () =>
    (document.querySelector<HTMLElement>('.search input') ?? document.querySelector<HTMLElement>('.pill'))?.focus(),
  n: () => change({ gross: !urlState().gross }),
  y: copyLink,
  t: toggleTheme,
};

/** Keys of the whole page; none while something is typed. */
export function useKeyboard(): void {
  useEffect(() => {
    let afterG = 0;
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as Element;
      if (event.metaKey || event.ctrlKey || event.altKey) return;
      if (target.matches('input, textarea, select')) {
        if (event.key === 'Escape') (target as HTMLElement).blur();
        return;
      }
      if (document.querySelector('dialog[open]') !== null) return;
      const isAfterG = performance.now() - afterG < AFTER_G_MS;
      afterG = event.key === 'g' ? performance.now() : 0;
      const view = isAfterG && Object.entries(VIEWS).find(([, { key }]) => key === event.key)?.[0];
      const action = ACTIONS[event.key];
      if (view) go(view);
      else if (action !== undefined) {
        event.preventDefault();
        action();
      }
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

export function Shortcuts() {
  return (
    <dialog id="keys" aria-labelledby="keys-h">
      <h2 id="keys-h">Shortcuts</h2>
      <div class="keys">
        {Object.entries(VIEWS).map(([name, { title, short, key }]) => (
          <Line key={name} what={short ?? title} keys={['g', key]} />
        ))}
        {KEYS.map(([what, ...keys]) => (
          <Line key={what} what={what} keys={keys} />
        ))}
      </div>
      <form method="dialog" class="end">
        <button type="submit" class="btn">
          Close
        </button>
      </form>
    </dialog>
  );
}

function Line({ what, keys }: { what: string; keys: readonly string[] }) {
  return (
    <div>
      {what}
      <span>
        {keys.map((key) => (
          <kbd key={key}>{key}</kbd>
        ))}
      </span>
    </div>
  );
}
