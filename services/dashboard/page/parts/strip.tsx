/** Several models' values on one scale of the table: a dot each, what they span, and a line at the baseline. */
export function Strip({ values, baseline }: { values: readonly [model: string, share: number][]; baseline: number }) {
  const shares = values.map(([, share]) => share);
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  const at = (share: number) => `${100 * share}%`;
  return (
    <span class="strip" aria-hidden="true">
      <i class="rng" style={{ left: at(least), width: at(most - least) }} />
      <span class="z" style={{ left: at(baseline) }} />
      {values.map(([model, share]) => (
        <i key={model} class={`model ${model}`} style={{ left: at(share) }} />
      ))}
    </span>
  );
}
