import { useEffect, useState } from 'preact/hooks';

/** A value that components follow. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** Calls back after each change, until what it returns is called. */
  follow(callback: () => void): () => void;
}

export function store<T>(initial: T): Store<T> {
  let value = initial;
  const followers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const tell of [...followers]) tell();
    },
    follow(callback) {
      followers.add(callback);
      return () => followers.delete(callback);
    },
  };
}

export function useStore<T>(of: Store<T>): T {
  const [, render] = useState({});
  useEffect(() => of.follow(() => render({})), [of]);
  return of.get();
}
