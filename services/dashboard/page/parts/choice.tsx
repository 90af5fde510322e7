import { Icon } from './icon.tsx';
import { Pill } from './pill.tsx';
import { Popover } from './popover.tsx';

interface ChoiceOptions<T extends string> {
  name: string;
  label: string;
  value: T;
  options: readonly (readonly [value: T, text: string, more?: string])[];
  onChange(value: T): void;
}

/** A filter of which one of a few holds. */
export function Choice<T extends string>({ name, label, value, options, onChange }: ChoiceOptions<T>) {
  const [, shown] = options.find(([one]) => one === value) ?? [value, value];
  return (
    <Popover label={label} className="menu" button={<Pill name={name} value={shown} />}>
      {(close) => (
        <div role="radiogroup" aria-label={label}>
          {options.map(([one, text, more]) => (
            // biome-ignore lint/a11y/useSemanticElements: a menu of buttons, one of which holds
            <button
              key={one}
              type="button"
              role="radio"
              aria-checked={one === value}
              class="opt one"
              onClick={() => {
                onChange(one);
                close();
              }}
            >
              <span>
                {text}
                {more !== undefined && <small>{more}</small>}
              </span>
              {one === value && <Icon name="check" small />}
            </button>
          ))}
        </div>
      )}
    </Popover>
  );
}
