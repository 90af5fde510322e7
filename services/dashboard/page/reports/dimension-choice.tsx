import { useState } from 'preact/hooks';
import { Popover } from '../parts/popover.tsx';
import { Segment } from '../parts/segment.tsx';
import { dimensionTitle } from './dimensions.ts';

const METADATA = 'metadata.';

interface Options {
  by: string;
  choices: readonly string[];
  onChange(by: string): void;
}

/** What rows are by: one of a few dimensions, or a key of the metadata. */
export function DimensionChoice({ by, choices, onChange }: Options) {
  return (
    <Segment
      label="Rows"
      value={by}
      options={choices.map((one) => [one, dimensionTitle(one)] as const)}
      onChange={onChange}
    >
      <Popover
        label="Key of the metadata"
        className="menu"
        buttonClass={by.startsWith(METADATA) ? 'on' : ''}
        button={by.startsWith(METADATA) ? by : 'metadata…'}
      >
        {(close) => (
          <KeyForm
            value={by.startsWith(METADATA) ? by.slice(METADATA.length) : ''}
            onChange={(key) => {
              onChange(METADATA + key);
              close();
            }}
          />
        )}
      </Popover>
    </Segment>
  );
}

function KeyForm({ value, onChange }: { value: string; onChange(key: string): void }) {
  const [key, setKey] = useState(value);
  return (
    <form
      class="f"
      onSubmit={(event) => {
        event.preventDefault();
        if (key !== '') onChange(key);
      }}
    >
      <label class="field">
        Key of the metadata of clicks
        <input
          value={key}
          placeholder="geo"
          maxLength={128}
          onInput={({ currentTarget }) => setKey(currentTarget.value)}
        />
      </label>
      <p class="hint">One that no rollup has is counted from the events: exact, slower, and bounded.</p>
      <button type="submit" class="btn primary">
        Rows by it
      </button>
    </form>
  );
}
