import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from './icon.tsx';

/** Rows beyond the window that are in the page, so that a quick scroll shows no gap. */
const OVERSCAN = 12;
/** Rows that are added at a time where rows are stacked, whose heights differ. */
const STACKED_ROWS = 50;

export interface Column<R> {
  /** Distinct; also what the rows are sorted by, if `sortable`. */
  key: string;
  head: ComponentChildren;
  /** Of the head in one word, where rows are stacked. */
  label?: string;
  /** In pixels; the first column takes what is left. */
  width?: number;
  className?: string;
  headClass?: string;
  sortable?: boolean;
  tip?: string;
  cell(row: R): ComponentChildren;
}

export interface TableOptions<R> {
  caption: string;
  /** Of the first column the cells are heads of their rows. */
  columns: readonly Column<R>[];
  rows: readonly R[];
  keyOf(row: R): string;
  rowClass?(row: R): string;
  /** In pixels, of every row. */
  rowHeight: number;
  className?: string;
  /** Key of a column, with "-" before it from the greatest. */
  sort?: string;
  onSort?(sort: string): void;
  /** Rows that stay at the bottom. */
  foot?: ComponentChildren;
  /** Instead of rows. */
  empty?: ComponentChildren;
}

/** A table that scrolls in its card and renders only what is seen; rows are stacked where it is narrow. */
export function Table<R>(options: TableOptions<R>) {
  const { caption, columns, rows, rowHeight, className = '', foot, empty } = options;
  const scroller = useRef<HTMLElement>(null);
  const isStacked = useMedia('(max-width: 760px)');
  const [first, setFirst] = useState(0);
  const [height, setHeight] = useState(600);
  const [stacked, setStacked] = useState(STACKED_ROWS);
  useLayoutEffect(() => {
    const look = () => {
      const { scrollTop, clientHeight, scrollHeight } = scroller.current!;
      scroller.current!.classList.toggle('more', scrollHeight - scrollTop - clientHeight > 2);
      setHeight(clientHeight);
      // In steps of half of what is over, so that not every pixel renders.
      const at = Math.floor(scrollTop / rowHeight);
      setFirst(at - (at % (OVERSCAN / 2)));
    };
    const size = new ResizeObserver(look);
    size.observe(scroller.current!);
    const { current } = scroller;
    current!.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      size.disconnect();
      current!.removeEventListener('scroll', look);
    };
  }, [rowHeight, rows.length]);
  const from = isStacked ? 0 : Math.max(0, Math.min(first - OVERSCAN, rows.length - 1));
  const to = Math.min(rows.length, isStacked ? stacked : first + Math.ceil(height / rowHeight) + OVERSCAN);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section ref={scroller} class="tscroll" tabIndex={0} aria-label={caption}>
      <table class={`stack ${className}`} aria-rowcount={rows.length + 1}>
        <caption class="sr">{caption}</caption>
        <colgroup>
          {columns.map(({ key, width, className: own }) => (
            <col key={key} class={own} style={width === undefined ? {} : { width: `${width}px` }} />
          ))}
        </colgroup>
        <Head {...options} />
        <tbody>
          <Space height={from * rowHeight} columns={columns.length} />
          {rows.slice(from, to).map((row, i) => (
            <Row key={options.keyOf(row)} row={row} index={from + i} options={options} />
          ))}
          {!isStacked && <Space height={(rows.length - to) * rowHeight} columns={columns.length} />}
          {isStacked && to < rows.length && (
            <tr class="more-rows">
              <td class="full" colSpan={columns.length}>
                <button type="button" class="btn" onClick={() => setStacked(stacked + STACKED_ROWS)}>
                  Show {Math.min(STACKED_ROWS, rows.length - to)} more of {rows.length - to}
                </button>
              </td>
            </tr>
          )}
          {rows.length === 0 && empty !== undefined && (
            <tr class="no-rows">
              <td class="full" colSpan={columns.length}>
                {empty}
              </td>
            </tr>
          )}
        </tbody>
        {foot !== undefined && <tfoot>{foot}</tfoot>}
      </table>
    </section>
  );
}

function Row<R>({ row, index, options }: { row: R; index: number; options: TableOptions<R> }) {
  const { columns, rowClass } = options;
  return (
    <tr class={rowClass?.(row)} aria-rowindex={index + 2}>
      {columns.map(({ key, className = '', label, head, cell }, i) =>
        i === 0 ? (
          <th key={key} scope="row" class={`stick ${className}`}>
            {cell(row)}
          </th>
        ) : (
          <td key={key} class={className} data-l={label ?? (typeof head === 'string' ? head : undefined)}>
            {cell(row)}
          </td>
        ),
      )}
    </tr>
  );
}

function Head<R>({ columns, sort = '', onSort }: TableOptions<R>) {
  const [by, isDescending] = sort.startsWith('-') ? [sort.slice(1), true] : [sort, false];
  return (
    <thead>
      <tr>
        {columns.map(({ key, head, className = '', headClass = className, sortable, tip }, i) => {
          const order = by !== key ? undefined : isDescending ? 'descending' : 'ascending';
          const sorted = by === key && isDescending ? key : i === 0 && by !== key ? key : `-${key}`;
          return (
            <th key={key} scope="col" class={`${i === 0 ? 'stick' : ''} ${headClass}`} aria-sort={order} data-tip={tip}>
              {sortable && onSort !== undefined ? (
                <button type="button" onClick={() => onSort(sorted)}>
                  {head}
                  {order !== undefined && <Icon name={order} small />}
                </button>
              ) : (
                head
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** Stands for rows that are not in the page. */
function Space({ height, columns }: { height: number; columns: number }) {
  if (height <= 0) return null;
  return (
    <tr class="space">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = () => setMatches(list.matches);
    list.addEventListener('change', changed);
    return () => list.removeEventListener('change', changed);
  }, [query]);
  return matches;
}
