import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** What slides over the right of the page, and is closed by Escape, by a click beside it, or by what is in it. */
export function Drawer({ label, onClose, children }: { label: string; onClose(): void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      class="drawer"
      aria-label={label}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="in">{children}</div>
    </dialog>
  );
}
