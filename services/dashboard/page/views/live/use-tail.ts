import { useEffect, useRef, useState } from 'preact/hooks';
import type { TailedEvent } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { freshness } from '../../data/live.ts';
import { type Connection, followTail, type TailQuery } from '../../data/tail.ts';
import { SECONDS, Seconds } from './seconds.ts';
import { ShownEvents } from './shown-events.ts';

export interface Tail {
  events: ShownEvents;
  seconds: Seconds;
  /** Lags of the last seconds in ms, oldest first; undefined where none was known. */
  lags: readonly (number | undefined)[];
  connection: Connection;
}

/**
 * The tail of events, rendered once a frame at most, and once a second for the rates.
 *
 * @param text that an event has to have in it, in lower case
 * @param isPaused events that come wait
 */
export function useTail(query: TailQuery, text: string, isPaused: boolean): Tail {
  const [, render] = useState({});
  const tail = useRef<Tail>({ events: new ShownEvents(), seconds: new Seconds(), lags: [], connection: CONNECTING });
  const paused = useRef(isPaused);
  paused.current = isPaused;
  const key = JSON.stringify([query, text]);
  useEffect(() => {
    const stop = new AbortController();
    let frame = 0;
    const show = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        if (!paused.current) tail.current.events.show();
        render({});
      });
    };
    Object.assign(tail.current, { events: new ShownEvents(), connection: CONNECTING });
    const listener = {
      connected(connection: Connection) {
        tail.current.connection = connection;
        show();
      },
      received(answer: Parameters<Parameters<typeof followTail>[1]['received']>[0], isFirst: boolean) {
        tail.current.seconds.receive(answer.seconds, isFirst, Date.now());
        tail.current.events.receive(answer, (event) => text === '' || textOf(event).includes(text));
        show();
      },
    };
    followTail(query, listener, stop.signal);
    return () => {
      stop.abort();
      cancelAnimationFrame(frame);
    };
    // The key stands for the query and the text.
  }, [key]);
  useEffect(() => {
    if (!isPaused) tail.current.events.show();
    render({});
  }, [isPaused]);
  useEffect(() => {
    const tick = () => {
      if (document.hidden) return;
      const { lags } = tail.current;
      tail.current.lags = [...lags, freshness.get()?.lagMs].slice(-SECONDS);
      render({});
    };
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, []);
  return tail.current;
}

const CONNECTING: Connection = { is: 'connecting' };

function textOf(event: TailedEvent): string {
  const { eventType, eventId, userId, campaignId, adId, source, conversionType, kind, targetId } = event;
  const all = [eventType, eventId, userId, campaignId, adId, source, conversionType, kind, targetId, event.outcome];
  return [...all, event.creditedCampaignId].join('\n').toLowerCase();
}
