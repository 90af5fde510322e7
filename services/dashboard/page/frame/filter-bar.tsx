import type { Mesh } from '../data/mesh.ts';
import { modelOf, modelsOf, zoneOf } from '../data/report.ts';
import { today } from '../format/time.ts';
import { Choice } from '../parts/choice.tsx';
import { ModelName } from '../parts/model-name.tsx';
import { Pill } from '../parts/pill.tsx';
import { Popover } from '../parts/popover.tsx';
import { Segment } from '../parts/segment.tsx';
import { daysOf, intervalOf } from '../state/range.ts';
import { change, type UrlState, useUrl } from '../state/url.ts';
import { DimensionFilter } from './dimension-filter.tsx';
import { ModelMenu } from './model-menu.tsx';
import { RangeFilter } from './range-filter.tsx';
import type { FilterName } from './views.ts';

const DIMENSIONS: readonly [dimension: string, title: string][] = [
  ['campaign_id', 'Campaign'],
  ['source', 'Source'],
  ['ad_id', 'Ad'],
  ['conversion_type', 'Type'],
];

/** The same filters in the same order in all views; what a view does not use is left out. */
export function FilterBar({ filters, mesh }: { filters: readonly FilterName[]; mesh: Mesh }) {
  const state = useUrl();
  const has = (name: FilterName) => filters.includes(name);
  const metadata = state.filters
    .map(({ dimension }) => dimension)
    .filter((dimension) => dimension.startsWith('metadata.'))
    .map((dimension): [string, string] => [dimension, dimension.slice('metadata.'.length)]);
  return (
    <fieldset class="filters" aria-label="Filters">
      {has('range') && <RangeFilter mesh={mesh} />}
      {has('compare') && <CompareFilter state={state} />}
      {has('interval') && <IntervalFilter state={state} mesh={mesh} />}
      <span class="sep" />
      {has('dimensions') &&
        [...DIMENSIONS, ...metadata].map(([dimension, title]) => (
          <DimensionFilter key={dimension} dimension={dimension} title={title} mesh={mesh} />
        ))}
      <span class="sep" />
      {has('model') && (
        <Popover
          label="Models"
          className="menu"
          button={<Pill name="Model" value={<ModelName model={modelOf(state, mesh)} />} />}
        >
          {(close) => <ModelMenu mesh={mesh} close={close} />}
        </Popover>
      )}
      {has('models') && (
        <Popover label="Models" className="menu" button={<Pill name="Models" value={modelsText(state, mesh)} />}>
          {(close) => <ModelMenu mesh={mesh} close={close} isMany />}
        </Popover>
      )}
      {has('basis') && <BasisFilter state={state} />}
      {has('gross') && (
        <Segment
          label="Net or gross"
          value={state.gross ? 'gross' : 'net'}
          options={[
            ['net', 'Net'],
            ['gross', 'Gross'],
          ]}
          onChange={(value) => change({ gross: value === 'gross' })}
        />
      )}
    </fieldset>
  );
}

function modelsText(state: UrlState, mesh: Mesh): string {
  const { length } = modelsOf(state, mesh);
  return length === mesh.models.length ? `all ${length}` : `${length} of ${mesh.models.length}`;
}

function CompareFilter({ state }: { state: UrlState }) {
  return (
    <Choice
      name="vs"
      label="Compare with"
      value={state.compare}
      options={[
        ['previous_period', 'previous', 'as many days right before, until the same time of day'],
        ['previous_year', 'previous year', 'the same dates a year before'],
        ['none', 'nothing'],
      ]}
      onChange={(compare) => change({ compare })}
    />
  );
}

function IntervalFilter({ state, mesh }: { state: UrlState; mesh: Mesh }) {
  const days = daysOf(state, today(zoneOf(state, mesh)));
  const suiting = intervalOf({ interval: '' }, days);
  return (
    <Choice
      name="by"
      label="Interval"
      value={intervalOf(state, days)}
      options={[
        ['hour', 'hour'],
        ['day', 'day'],
        ['week', 'week', 'from Monday'],
        ['month', 'month'],
      ]}
      onChange={(interval) => change({ interval: interval === suiting ? '' : interval })}
    />
  );
}

function BasisFilter({ state }: { state: UrlState }) {
  return (
    <Choice
      name="Dated by"
      label="Time basis"
      value={state.basis}
      options={[
        ['conversion', 'conversion', 'a conversion counts on its own day'],
        ['click', 'click', 'a conversion counts on the day of the credited click, as ad networks report'],
      ]}
      onChange={(basis) => change({ basis })}
    />
  );
}
