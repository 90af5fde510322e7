import { NO_VALUE } from '../../../contract/shown.ts';
import { Icon } from '../parts/icon.tsx';
import type { Column } from '../parts/table.tsx';
import { changeOwn } from '../state/url.ts';
import { below, dimensionTitle } from './dimensions.ts';

/** The first column of a table by a dimension, where a row opens what is below it. @param open name of the open row */
export function nameColumn<Line extends { name: string; isChild: boolean }>(by: string, open: string): Column<Line> {
  const isOpened = below(by) !== undefined;
  return {
    key: 'name',
    head: dimensionTitle(by),
    sortable: true,
    cell: ({ name, isChild }) => {
      const text = <span class={`t truncate ${name === '' ? 'none' : ''}`}>{name || NO_VALUE}</span>;
      if (isChild || !isOpened) return <span class="rowname">{text}</span>;
      return (
        <button
          type="button"
          class="rowbtn"
          aria-expanded={name === open}
          onClick={() => changeOwn({ open: name === open ? '' : name })}
        >
          <Icon name="right" small className="chev" />
          {text}
        </button>
      );
    },
  };
}

/** The name of a sum at the bottom of a table; a button if there is a list of what it sums up. */
export function SumName({ name, onOpen }: { name: string; onOpen: (() => void) | undefined }) {
  if (onOpen === undefined) return <>{name}</>;
  return (
    <button type="button" class="linkish" onClick={onOpen}>
      {name}
    </button>
  );
}
