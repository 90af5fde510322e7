import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';

interface Options {
  /** What opens it. */
  button: ComponentChildren;
  buttonClass?: string;
  /** Of what opens, for readers. */
  label: string;
  className: string;
  /** Made anew each time it opens. */
  children: (close: () => void) => ComponentChildren;
  /** Beside the button, such as one that clears. */
  beside?: ComponentChildren;
}

/** A button and what opens under it, or over it where there is no room. */
export function Popover({ button, buttonClass = 'pill', label, className, children, beside }: Options) {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const close = () => popover.current?.hidePopover();
  function toggled({ newState }: { newState: string }) {
    setOpen(newState === 'open');
    if (newState === 'open') requestAnimationFrame(place);
  }
  function place() {
    const [from, to] = [opener.current, popover.current];
    if (from === null || to === null) return;
    const { left, top, bottom } = from.getBoundingClientRect();
    const isAbove = bottom + to.offsetHeight + 12 > innerHeight && top > to.offsetHeight + 12;
    to.style.top = `${isAbove ? top - to.offsetHeight - 6 : Math.min(bottom + 6, Math.max(8, innerHeight - to.offsetHeight - 8))}px`;
    to.style.left = `${Math.max(8, Math.min(left, innerWidth - to.offsetWidth - 12))}px`;
    to.querySelector<HTMLElement>('input, [aria-checked="true"], [aria-pressed="true"]')?.focus({
      preventScroll: true,
    });
  }
  return (
    <>
      <button
        ref={opener}
        type="button"
        class={buttonClass}
        popovertarget={id}
        aria-haspopup="dialog"
        aria-expanded={isOpen}
      >
        {button}
      </button>
      {beside}
      <div ref={popover} id={id} popover="auto" role="dialog" aria-label={label} class={className} onToggle={toggled}>
        {isOpen && children(close)}
      </div>
    </>
  );
}
