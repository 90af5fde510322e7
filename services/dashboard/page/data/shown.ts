import { useEffect } from 'preact/hooks';
import { store } from '../state/store.ts';

/** Where REST answers what the view shows, which "copy as curl" is about; undefined where it has no answer of it. */
export const shownUrl = store<string | undefined>(undefined);

/** Tells what a view shows, as long as it is there. */
export function useShownUrl(url: string | undefined): void {
  useEffect(() => {
    shownUrl.set(url);
    return () => shownUrl.set(undefined);
  }, [url]);
}
