import type { ComponentChildren } from 'preact';
import { Icon } from './icon.tsx';

/** What a filter's button says: its name and what holds. */
export function Pill({ name, value }: { name?: string; value?: ComponentChildren }) {
  return (
    <>
      {name !== undefined && <span class="k">{name}</span>}
      {value !== undefined && <span class="v m">{value}</span>}
      <Icon name="down" small className="chev" />
    </>
  );
}
