import { Code, ConnectError } from '@connectrpc/connect';
import type { ComponentChildren } from 'preact';
import { Icon } from './icon.tsx';

/** The shape of what comes. */
export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <div class="loading" aria-busy="true">
      <span class="sr">loading</span>
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} class="skel" style={{ width: `${96 - ((i * 37) % 40)}%` }} />
      ))}
    </div>
  );
}

/** Why there is nothing to show, in a box of its own. */
export function Notice({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state">
      <b>{title}</b>
      {children}
    </div>
  );
}

const TITLES: Partial<Record<Code, string>> = {
  [Code.InvalidArgument]: 'Not understood',
  [Code.ResourceExhausted]: 'Too much for one answer',
  [Code.Unavailable]: 'Not available now',
  [Code.NotFound]: 'Nothing is known of it',
  [Code.Unimplemented]: 'Not served here',
};

/** An error of a query, in the words of the answer. */
export function Refused({ error, children }: { error: unknown; children?: ComponentChildren }) {
  const { code, rawMessage } = ConnectError.from(error);
  return (
    <Notice title={TITLES[code] ?? 'No answer'}>
      <p role="alert">{rawMessage}</p>
      {children}
    </Notice>
  );
}

/** Over numbers that are older than they should be, because asking again has failed. */
export function StaleBanner({ error }: { error: unknown }) {
  if (error === undefined) return null;
  return (
    <div class="banner" role="status">
      <Icon name="warn" small />
      <span>These are not the newest numbers. {ConnectError.from(error).rawMessage}</span>
    </div>
  );
}
