import type { ComponentType } from 'preact';
import type { IconName } from '../parts/icon.tsx';
import { Attribution } from '../views/attribution/attribution.tsx';
import { Conversion } from '../views/conversion/conversion.tsx';
import { Health } from '../views/health/health.tsx';
import { Live } from '../views/live/live.tsx';
import { Overview } from '../views/overview/overview.tsx';
import { Paths } from '../views/paths/paths.tsx';

/** A filter of the bar. */
export type FilterName = 'range' | 'compare' | 'interval' | 'dimensions' | 'model' | 'models' | 'basis' | 'gross';

export interface ViewDescription {
  title: string;
  /** In the rail, if it is another than the title. */
  short?: string;
  icon: IconName;
  group: 'Measure' | 'Explain' | 'Operate';
  /** After "g", goes there. */
  key: string;
  /** In the bar; the bar is left out without any. */
  filters: readonly FilterName[];
  view: ComponentType;
}

/** Every view, by its name in the address. */
export const VIEWS: Readonly<Record<string, ViewDescription>> = {
  overview: {
    title: 'Overview',
    icon: 'overview',
    group: 'Measure',
    key: 'o',
    filters: ['range', 'compare', 'interval', 'dimensions', 'model', 'basis', 'gross'],
    view: Overview,
  },
  attribution: {
    title: 'Attribution explorer',
    short: 'Attribution',
    icon: 'attribution',
    group: 'Measure',
    key: 'a',
    filters: ['range', 'dimensions', 'models', 'basis', 'gross'],
    view: Attribution,
  },
  paths: {
    title: 'Paths and lag',
    short: 'Paths',
    icon: 'paths',
    group: 'Measure',
    key: 'p',
    filters: ['range', 'dimensions', 'model'],
    view: Paths,
  },
  conversion: {
    title: 'Conversion',
    icon: 'conversion',
    group: 'Explain',
    key: 'c',
    filters: [],
    view: Conversion,
  },
  live: {
    title: 'Live',
    icon: 'live',
    group: 'Operate',
    key: 'l',
    filters: ['dimensions', 'model', 'gross'],
    view: Live,
  },
  health: { title: 'Health', icon: 'health', group: 'Operate', key: 'h', filters: [], view: Health },
};

export const FIRST_VIEW = 'overview';
