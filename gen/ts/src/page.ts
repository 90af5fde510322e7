/** Calls `leave` when the page goes away or is hidden, which on phones is the last that it is told. */
export function watch(leave: () => void): () => void {
  const hidden = () => {
    if (document.visibilityState === 'hidden') leave();
  };
  globalThis.addEventListener?.('pagehide', leave);
  globalThis.document?.addEventListener('visibilitychange', hidden);
  return () => {
    globalThis.removeEventListener?.('pagehide', leave);
    globalThis.document?.removeEventListener('visibilitychange', hidden);
  };
}
