import type { ComponentChildren } from 'preact';

interface Options<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, text: ComponentChildren])[];
  onChange(value: T): void;
  children?: ComponentChildren;
}

/** A choice of a few, all of them seen. */
export function Segment<T extends string>({ label, value, options, onChange, children }: Options<T>) {
  return (
    <fieldset class="seg" aria-label={label}>
      {options.map(([one, text]) => (
        <button key={one} type="button" aria-pressed={one === value} onClick={() => onChange(one)}>
          {text}
        </button>
      ))}
      {children}
    </fieldset>
  );
}
