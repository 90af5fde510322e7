const PATHS = {
  overview: 'M2.5 13.5h11M4.5 11V7.5M8 11V3.5M11.5 11V6',
  attribution: 'M2.5 4h4M2.5 8h7M2.5 12h3M13.5 2.5v1.5m0 2v1.5m0 2v1.5m0 2v1',
  paths:
    'M4.5 4a1.5 1.5 0 1 1-3 0 1.5 1.5 0 0 1 3 0zM14.5 12a1.5 1.5 0 1 1-3 0 1.5 1.5 0 0 1 3 0zM4.5 4H8c2 0 2 4 0 4s-2 4 0 4h3.5',
  conversion: 'M5 8a1.5 1.5 0 1 1-3 0 1.5 1.5 0 0 1 3 0zM5 8h5.2M12.2 5.8 14.4 8l-2.2 2.2L10 8z',
  live: 'M1.5 8.5h3l2-5 3 9 2-4h3',
  health:
    'M2.8 5.5h2a1 1 0 0 1 1 1v3a1 1 0 0 1-1 1h-2a1 1 0 0 1-1-1v-3a1 1 0 0 1 1-1zM11.2 5.5h2a1 1 0 0 1 1 1v3a1 1 0 0 1-1 1h-2a1 1 0 0 1-1-1v-3a1 1 0 0 1 1-1zM5.8 8h4.4',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.5v9l7-4.5z',
  run: 'M13 8a5 5 0 1 1-1.5-3.6M13 2.5V5h-2.5',
  theme: 'M13 9.6A5.5 5.5 0 1 1 6.4 3a4.4 4.4 0 0 0 6.6 6.6z',
  keys: 'M3 4h10a1.5 1.5 0 0 1 1.5 1.5v5A1.5 1.5 0 0 1 13 12H3a1.5 1.5 0 0 1-1.5-1.5v-5A1.5 1.5 0 0 1 3 4zM4 6.7h.01M6.7 6.7h.01M9.3 6.7h.01M12 6.7h.01M5 9.5h6',
  plus: 'M8 3.5v9M3.5 8h9',
  check: 'm3.5 8.5 3 3 6-7',
  warn: 'M8 2.5 14.2 13H1.8zM8 6.5v3M8 11.3v.01',
  dots: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  curl: 'M3.4 2.8h9.2a1.6 1.6 0 0 1 1.6 1.6v7.2a1.6 1.6 0 0 1-1.6 1.6H3.4a1.6 1.6 0 0 1-1.6-1.6V4.4a1.6 1.6 0 0 1 1.6-1.6zM4.5 6l2 2-2 2M8.5 10.2h3',
  link: 'M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2-2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.2 6.8a2.6 2.6 0 0 0-3.7 0l-2 2a2.6 2.6 0 0 0 3.7 3.7l.8-.8',
  down: 'm4 6 4 4 4-4',
  right: 'm6 4 4 4-4 4',
  close: 'm4.5 4.5 7 7m0-7-7 7',
  search: 'M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0zM10 10l3.5 3.5',
  download: 'M8 2.5v7.5m-3-3 3 3 3-3M3 13h10',
  descending: 'M8 3v10m-3-3 3 3 3-3',
  ascending: 'M8 13V3M5 6l3-3 3 3',
  copy: 'M6.9 5.5h5.2a1.4 1.4 0 0 1 1.4 1.4v5.2a1.4 1.4 0 0 1-1.4 1.4H6.9a1.4 1.4 0 0 1-1.4-1.4V6.9a1.4 1.4 0 0 1 1.4-1.4zM10.5 5.5V3.9a1.4 1.4 0 0 0-1.4-1.4H3.9a1.4 1.4 0 0 0-1.4 1.4v5.2a1.4 1.4 0 0 0 1.4 1.4h1.6',
} as const;

export type IconName = keyof typeof PATHS;

/** Beside words, which say the same. */
export function Icon({ name, small = false, className = '' }: { name: IconName; small?: boolean; className?: string }) {
  return (
    <svg class={`ico ${small ? 's' : ''} ${className}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
