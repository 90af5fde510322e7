import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { curlOf } from '../data/links.ts';
import { mesh } from '../data/mesh.ts';
import { shownUrl } from '../data/shown.ts';
import { daysText, today } from '../format/time.ts';
import { Icon } from '../parts/icon.tsx';
import { copy } from '../parts/toast.tsx';
import { daysOf } from '../state/range.ts';
import { useStore } from '../state/store.ts';
import { useUrl } from '../state/url.ts';
import { Freshness } from './freshness.tsx';
import { copyLink } from './permalink.ts';
import { VIEWS } from './views.ts';

/** The title row, and the bar of filters under it. */
export function Header({ title, children }: { title: string; children: ComponentChildren }) {
  const header = useRef<HTMLElement>(null);
  const state = useUrl();
  const known = useStore(mesh);
  const url = useStore(shownUrl);
  useLayoutEffect(() => {
    // Views that fill the window start below it, whose height depends on how the filters wrap.
    const size = new ResizeObserver(() =>
      document.documentElement.style.setProperty('--top', `${header.current!.offsetHeight}px`),
    );
    size.observe(header.current!);
    return () => size.disconnect();
  }, []);
  const zone = state.zone || known?.zone;
  const isDated = VIEWS[state.view]?.filters.includes('range') ?? true;
  return (
    <header class="top" ref={header}>
      <div class="bar1">
        <h1>{title}</h1>
        <span class="sub truncate">{zone && isDated && `${daysText(daysOf(state, today(zone)), true)}, ${zone}`}</span>
        <span class="grow" />
        <Freshness />
        {url !== undefined && (
          <button
            type="button"
            class="iconbtn"
            aria-label="Copy as curl"
            data-tip="Copy as curl"
            onClick={() => copy(curlOf(url), 'Copied as curl')}
          >
            <Icon name="curl" />
          </button>
        )}
        <button
          type="button"
          class="iconbtn"
          aria-label="Copy link to this view"
          data-tip="Copy link to this view"
          onClick={copyLink}
        >
          <Icon name="link" />
        </button>
      </div>
      {children}
    </header>
  );
}
