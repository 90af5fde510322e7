/** Heights of the four bars of a model's glyph: how it spreads one conversion. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  last_click: [2, 2, 2, 12],
  first_click: [12, 2, 2, 2],
  linear: [7, 7, 7, 7],
  time_decay: [2.5, 4.5, 7.5, 12],
  position_based: [11, 4, 4, 11],
};
const OTHER = [4, 8, 8, 4];

export const MODEL_RULES: Readonly<Record<string, string>> = {
  last_click: 'all to the last click',
  first_click: 'all to the first click',
  linear: 'the same to each click',
  time_decay: 'half as much per quarter of the window before',
  position_based: '40% first, 40% last, rest shared',
};

export function ModelGlyph({ model }: { model: string }) {
  return (
    <svg class={`gly model ${model}`} width="15" height="12" viewBox="0 0 15 12" aria-hidden="true">
      {(SHAPES[model] ?? OTHER).map((height, i) => (
        <rect key={i} x={4 * i} y={12 - height} width="3" height={height} rx=".7" fill="currentColor" />
      ))}
    </svg>
  );
}

export function ModelName({ model }: { model: string }) {
  return (
    <span class="m">
      <ModelGlyph model={model} />
      {model}
    </span>
  );
}
