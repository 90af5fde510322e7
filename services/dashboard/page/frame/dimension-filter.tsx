import { useState } from 'preact/hooks';
import { NO_VALUE } from '../../../contract/shown.ts';
import type { Mesh } from '../data/mesh.ts';
import { measuresOf, modelOf, reportRequest, useReport } from '../data/report.ts';
import { conversions, count } from '../format/number.ts';
import { Icon } from '../parts/icon.tsx';
import { Pill } from '../parts/pill.tsx';
import { Popover } from '../parts/popover.tsx';
import { Segment } from '../parts/segment.tsx';
import { Loading, Refused } from '../parts/states.tsx';
import { changeFilter, useUrl } from '../state/url.ts';

/** Values that are listed at a time; what is searched for is found among all. */
const LISTED = 60;

/** Only some values of a dimension, or all but some. */
export function DimensionFilter({ dimension, title, mesh }: { dimension: string; title: string; mesh: Mesh }) {
  const { filters } = useUrl();
  const { values = [], exclude = false } = filters.find((filter) => filter.dimension === dimension) ?? {};
  const text = values.length === 1 ? values[0] || NO_VALUE : `${values.length}`;
  const clear = (
    <button
      type="button"
      class="x"
      aria-label={`Clear the filter ${title}`}
      onClick={() => changeFilter(dimension, [])}
    >
      <Icon name="close" small />
    </button>
  );
  return (
    <span class={`pillbox ${values.length > 0 ? 'on' : ''}`}>
      <Popover
        label={title}
        className="menu pick"
        buttonClass={`pill ${values.length > 0 ? 'on' : ''}`}
        button={<Pill name={title} value={values.length > 0 ? `${exclude ? 'not ' : ''}${text}` : undefined} />}
        beside={values.length > 0 && clear}
      >
        {() => <Picker dimension={dimension} title={title} mesh={mesh} values={values} exclude={exclude} />}
      </Popover>
    </span>
  );
}

interface PickerOptions {
  dimension: string;
  title: string;
  mesh: Mesh;
  values: readonly string[];
  exclude: boolean;
}

function Picker({ dimension, title, mesh, values, exclude }: PickerOptions) {
  const state = useUrl();
  const [find, setFind] = useState('');
  const isType = dimension === 'conversion_type';
  const question = {
    interval: 'none',
    groupBy: [dimension],
    models: [modelOf(state, mesh)],
    but: dimension,
    orderBy: isType ? '-conversions' : '-clicks',
  };
  const { value: report, error } = useReport(reportRequest(state, mesh, question));
  const known = new Map(report?.rows.map((row) => [row.values[0] ?? '', row]));
  const all = [...values.filter((value) => !known.has(value)), ...known.keys()];
  const wanted = find.toLowerCase();
  const listed = all.filter((value) => value.toLowerCase().includes(wanted)).slice(0, LISTED);
  const set = (value: string) =>
    changeFilter(
      dimension,
      values.includes(value) ? values.filter((one) => one !== value) : [...values, value],
      exclude,
    );
  const counted = (value: string) => {
    const row = known.get(value);
    if (row === undefined) return '–';
    return isType ? conversions(measuresOf(row, state.gross).conversions) : count(row.clicks);
  };
  return (
    <>
      <label class="search">
        <Icon name="search" small />
        <input
          type="search"
          placeholder={`Find ${title.toLowerCase()}`}
          aria-label={`Find ${title.toLowerCase()}`}
          value={find}
          onInput={({ currentTarget }) => setFind(currentTarget.value)}
        />
      </label>
      <div class="cap">
        <span>{title}</span>
        <span>{isType ? 'conversions' : 'valid clicks'}</span>
      </div>
      {error !== undefined && <Refused error={error} />}
      {report === undefined && error === undefined && <Loading lines={3} />}
      <div class="values">
        {listed.map((value) => (
          <Value
            key={value}
            text={value || NO_VALUE}
            counted={counted(value)}
            isChosen={values.includes(value)}
            choose={() => set(value)}
          />
        ))}
        {find !== '' && !all.includes(find) && (
          <Value text={`“${find}”`} counted="–" isChosen={false} choose={() => set(find)} />
        )}
      </div>
      <div class="foot">
        <Segment
          label="Include or exclude"
          value={exclude ? 'exclude' : 'only'}
          options={[
            ['only', 'Only these'],
            ['exclude', 'All but these'],
          ]}
          onChange={(which) => changeFilter(dimension, values, which === 'exclude')}
        />
        <button type="button" class="btn ghost" onClick={() => changeFilter(dimension, [])}>
          Clear
        </button>
      </div>
    </>
  );
}

interface ValueOptions {
  text: string;
  counted: string;
  isChosen: boolean;
  choose(): void;
}

function Value({ text, counted, isChosen, choose }: ValueOptions) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: the whole line is to be hit
    <button type="button" class="opt" role="checkbox" aria-checked={isChosen} onClick={choose}>
      <span class="box">
        <Icon name="check" small />
      </span>
      <span class="truncate">{text}</span>
      <span class="num">{counted}</span>
    </button>
  );
}
