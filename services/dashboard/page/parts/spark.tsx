/** A line without axes; its last piece is dotted while the newest period is not over. Undefined values are gaps. */
export function Spark({
  values,
  open,
  model,
}: {
  values: readonly (number | undefined)[];
  open: boolean;
  model: string;
}) {
  const known = values.filter((value) => value !== undefined);
  if (known.length < 2) return <span class="none">–</span>;
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const scale = most === least ? 0 : 18 / (most - least);
  const points = values.map((value, i) => {
    if (value === undefined) return undefined;
    const x = (100 * i) / (values.length - 1);
    return `${x.toFixed(1)} ${(scale === 0 ? 10 : 19 - (value - least) * scale).toFixed(1)}`;
  });
  const closed = open ? points.slice(0, -1) : points;
  const end = open ? points.slice(-2) : [];
  return (
    <svg class={`spk model ${model}`} viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">
      <path d={pathOf(closed)} />
      {end.length === 2 && !end.includes(undefined) && <path class="open" d={`M${end.join('L')}`} />}
    </svg>
  );
}

function pathOf(points: readonly (string | undefined)[]): string {
  return points
    .map((point, i) => (point === undefined ? '' : `${i === 0 || points[i - 1] === undefined ? 'M' : 'L'}${point}`))
    .join('');
}
