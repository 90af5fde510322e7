import { useEffect, useRef } from 'preact/hooks';

/** Distance in pixels from what a tip is about. */
const GAP = 10;

/** Shows what `data-tip` of an element says while the pointer is over it or it has the focus of the keyboard. */
export function Tip() {
  const tip = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const stop = new AbortController();
    const over = ({ target }: Event) => show(tip.current!, (target as Element).closest?.('[data-tip]') ?? null);
    const focused = ({ target }: Event) =>
      show(
        tip.current!,
        (target as Element).matches(':focus-visible') ? (target as Element).closest('[data-tip]') : null,
      );
    const hide = () => show(tip.current!, null);
    addEventListener('pointerover', over, stop);
    addEventListener('focusin', focused, stop);
    addEventListener('scroll', hide, { capture: true, passive: true, signal: stop.signal });
    addEventListener('keydown', ({ key }) => key === 'Escape' && hide(), stop);
    return () => stop.abort();
  }, []);
  return <div ref={tip} id="tip" role="tooltip" popover="manual" />;
}

function show(tip: HTMLElement, of: Element | null): void {
  const text = of?.getAttribute('data-tip');
  if (!of || !text) {
    if (tip.matches(':popover-open')) tip.hidePopover();
    return;
  }
  tip.textContent = text;
  tip.showPopover();
  const { left, width, top, bottom } = of.getBoundingClientRect();
  const x = left + width / 2 - tip.offsetWidth / 2;
  tip.style.left = `${Math.max(8, Math.min(innerWidth - tip.offsetWidth - 8, x))}px`;
  const isBelow = top - tip.offsetHeight - GAP < 4;
  tip.style.top = `${isBelow ? bottom + GAP : top - tip.offsetHeight - GAP}px`;
}
