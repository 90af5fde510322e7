import { mesh } from '../data/mesh.ts';
import { today } from '../format/time.ts';
import { copy } from '../parts/toast.tsx';
import { daysOf } from '../state/range.ts';
import { hashOf, urlState } from '../state/url.ts';

/** Copies an address that shows tomorrow what it shows now: a range that moves with the day gets its dates. */
export function copyLink(): void {
  const state = urlState();
  const zone = state.zone || mesh.get()?.zone || 'UTC';
  const dated = { ...state, ...daysOf(state, today(zone)), range: '' };
  copy(new URL(hashOf(dated), location.href).href, 'Link copied: it holds the whole view');
}
