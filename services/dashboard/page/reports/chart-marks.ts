import type uPlot from 'uplot';
import type { Bucket } from './bucket.ts';

/** Finds a colour by what CSS calls it. */
type Colours = (value: string) => string;

/** Part of its column that a bar fills, and the tick of the period before. */
const BAR = 0.68;
const TICK = 0.88;

/** Bars with a cap, hatched while their period is not over, and across each a tick where the period before ended. */
export function drawBars(chart: uPlot, buckets: readonly Bucket[], colour: Colours): void {
  const { ctx } = chart;
  const ratio = devicePixelRatio;
  const [hue, fill, text] = [colour('var(--m)'), colour('var(--fill)'), colour('var(--text-2)')];
  const surface = colour('var(--surface)');
  const zero = chart.valToPos(0, 'y', true);
  const column = chart.valToPos(1, 'x', true) - chart.valToPos(0, 'x', true);
  ctx.save();
  buckets.forEach(({ value, previous, isOpen }, i) => {
    const x = chart.valToPos(i, 'x', true);
    const [width, cap] = [Math.max(ratio, Math.round(column * BAR)), 2 * ratio];
    const left = Math.round(x - width / 2);
    if (value !== undefined && value > 0) {
      const top = Math.min(chart.valToPos(value, 'y', true), zero - cap);
      ctx.fillStyle = isOpen ? surface : fill;
      ctx.fillRect(left, top, width, zero - top);
      if (isOpen) hatch(ctx, { left, top, width, height: zero - top }, hue);
      ctx.fillStyle = hue;
      ctx.fillRect(left, top, width, cap);
    }
    if (previous === undefined) return;
    const wide = Math.round(column * TICK);
    const y = Math.round(chart.valToPos(previous, 'y', true) - cap / 2);
    ctx.fillStyle = surface;
    ctx.fillRect(x - wide / 2, y - ratio, wide, cap + 2 * ratio);
    ctx.fillStyle = text;
    ctx.fillRect(x - wide / 2, y, wide, cap);
  });
  ctx.restore();
}

interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

function hatch(ctx: CanvasRenderingContext2D, { left, top, width, height }: Box, hue: string): void {
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.strokeStyle = hue;
  ctx.lineWidth = 1.2 * ratio;
  ctx.beginPath();
  for (let x = left - height; x < left + width; x += 5 * ratio) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.strokeRect(left, top, width, height);
  ctx.restore();
}

/** A line, dotted where it leads into a period that is not over, and dashed the period before. */
export function drawLines(chart: uPlot, buckets: readonly Bucket[], colour: Colours): void {
  const { ctx } = chart;
  const ratio = devicePixelRatio;
  const closed = buckets.map(({ value, isOpen }) => (isOpen ? undefined : value));
  const open = buckets.map(({ value }, i) => (buckets[i]!.isOpen || buckets[i + 1]?.isOpen ? value : undefined));
  const before = buckets.map(({ previous }) => previous);
  ctx.save();
  ctx.lineJoin = 'round';
  stroke(chart, before, { colour: colour('var(--text-3)'), width: 1.5 * ratio, dash: [4 * ratio, 4 * ratio] });
  stroke(chart, closed, { colour: colour('var(--m)'), width: 2 * ratio, dash: [] });
  stroke(chart, open, { colour: colour('var(--m)'), width: 2 * ratio, dash: [2 * ratio, 4 * ratio] });
  ctx.restore();
}

interface Pen {
  colour: string;
  width: number;
  dash: number[];
}

function stroke(chart: uPlot, values: readonly (number | undefined)[], { colour, width, dash }: Pen): void {
  const { ctx } = chart;
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.beginPath();
  values.forEach((value, i) => {
    if (value === undefined) return;
    const [x, y] = [chart.valToPos(i, 'x', true), chart.valToPos(value, 'y', true)];
    const [before, after] = [values[i - 1], values[i + 1]];
    if (before === undefined) ctx.moveTo(x, y);
    else ctx.lineTo(x, y);
    // One alone is a dot.
    if (before === undefined && after === undefined) ctx.arc(x, y, width, 0, 7);
  });
  ctx.stroke();
}
