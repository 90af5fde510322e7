import { store } from './store.ts';

const KEY = 'clickmesh.theme';

/** Counts up when the colours changed, for what is drawn on canvas. */
export const colours = store(0);
const changed = () => colours.set(colours.get() + 1);

const dark = matchMedia('(prefers-color-scheme: dark)');
dark.addEventListener('change', changed);

/** Follows the system until one is chosen. */
export function startTheme(): void {
  const chosen = read();
  if (chosen !== null) document.documentElement.dataset.theme = chosen;
}

export function toggleTheme(): void {
  const { dataset } = document.documentElement;
  const isDark = dataset.theme === undefined ? dark.matches : dataset.theme === 'dark';
  dataset.theme = isDark ? 'light' : 'dark';
  try {
    localStorage.setItem(KEY, dataset.theme);
  } catch {
    // Where nothing may be kept, it holds until the page is left.
  }
  changed();
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
