import { Icon } from '../parts/icon.tsx';
import { toggleTheme } from '../state/theme.ts';
import { go, hrefOf } from '../state/url.ts';
import { openShortcuts } from './shortcuts.tsx';
import { FIRST_VIEW, VIEWS } from './views.ts';

/** Put in by the build. */
declare const CLICKMESH_VERSION: string;

const GROUPS = ['Measure', 'Explain', 'Operate'] as const;

/** Follows a link to a view without reading the page anew; another key opens it elsewhere, as everywhere. */
function follow(view: string, own?: Record<string, string>) {
  return (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(view, own);
  };
}

export function Rail({ current }: { current: string }) {
  return (
    <nav class="rail" aria-label="Views">
      <a class="brand" href={hrefOf(FIRST_VIEW)} onClick={follow(FIRST_VIEW)}>
        <Brand />
        <span>clickmesh</span>
      </a>
      {GROUPS.map((group) => {
        const views = Object.entries(VIEWS).filter(([, view]) => view.group === group);
        return (
          views.length > 0 && (
            <section key={group} aria-label={group} style={{ '--views': String(views.length) }}>
              <h2>{group}</h2>
              <ul>
                {views.map(([name, { title, short, icon, key }]) => (
                  <li key={name}>
                    <a
                      class="nav"
                      href={hrefOf(name)}
                      aria-current={name === current ? 'page' : undefined}
                      onClick={follow(name)}
                    >
                      <Icon name={icon} />
                      <span>{short ?? title}</span>
                      <kbd>g {key}</kbd>
                    </a>
                  </li>
                ))}
              </ul>
            </section>
          )
        );
      })}
      <div class="foot">
        <button type="button" onClick={toggleTheme}>
          <Icon name="theme" />
          <span>Light or dark</span>
        </button>
        <button type="button" onClick={openShortcuts}>
          <Icon name="keys" />
          <span>Shortcuts</span>
        </button>
        <a href={hrefOf(FIRST_VIEW, { send: 'true' })} onClick={follow(FIRST_VIEW, { send: 'true' })}>
          <Icon name="plus" />
          <span>Send events</span>
        </a>
        <p>clickmesh {CLICKMESH_VERSION}</p>
      </div>
    </nav>
  );
}

function Brand() {
  return (
    <svg viewBox="0 0 20 20" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
      <path d="M3.6 4.2 13 9.2M3.6 10H12M3.6 15.8l9.4-5" stroke-linecap="round" />
      <g fill="currentColor" stroke="none">
        <circle cx="3.4" cy="4" r="2" />
        <circle cx="3.4" cy="10" r="2" />
        <circle cx="3.4" cy="16" r="2" />
        <path d="m14.6 5.6 4.4 4.4-4.4 4.4-4.4-4.4z" />
      </g>
    </svg>
  );
}
