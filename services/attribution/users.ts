import { cacheHits, cacheMisses } from '../shared/telemetry/metrics.ts';
import type { AttributionConfig } from './config.ts';
import { type Effects, newEffects, noteClick } from './effects.ts';
import { type FoldContext, type FoldEvent, fold } from './fold.ts';
import { isUserKey, seenKey, userKey, userOfKey } from './keys.ts';
import { newUser, type SeenId, type UserState } from './state.ts';
import { appendClick, bytesOf, decodeUser, encodeUser, isOverflowed, settle } from './state-codec.ts';
import type { StateChanges, StateEntry, StateStore } from './state-store.ts';
import { StoredTouch } from './touch.ts';
import { type CachedUser, newUserCache } from './user-cache.ts';

/** The users of one partition, ahead of its store. */
export interface Users {
  /** Folds events, in their order, into their users. */
  fold(store: StateStore, events: readonly FoldEvent[]): Effects;
  /** What changed takes so much of the cache that it is time to store it. */
  isFull(): boolean;
  /**
   * What changed since the last call, which the caller now stores.
   *
   * @param expired keys that the sweep found; those that nothing changed under are deleted
   */
  takeChanges(expired: readonly Buffer[]): StateChanges;
}

/** @param cacheBytes about how many bytes of states to keep in memory, now */
export function newUsers(config: AttributionConfig, cacheBytes: () => number): Users {
  const cache = newUserCache(cacheBytes);
  /** Ids that were moved out of their user's state and are not yet in the store. */
  const moved = new Map<string, SeenId>();

  /** The users of the events, one for each event. */
  function load(store: StateStore, events: readonly FoldEvent[]): CachedUser[] {
    const found = events.map(({ userId }) => cache.get(userId));
    const missing = new Set<string>();
    found.forEach((user, i) => {
      if (user === undefined) missing.add(events[i]!.userId);
    });
    const ids = [...missing];
    cacheHits.add(events.length - ids.length);
    cacheMisses.add(ids.length);
    const stored = store.getMany(ids.map(userKey));
    ids.forEach((id, i) => {
      const bytes = stored[i];
      if (bytes === undefined) cache.add(id, encodeUser(newUser()), 0);
      else cache.add(id, { bytes: settle(bytes), length: bytes.length }, bytes.length);
    });
    return found.map((user, i) => user ?? cache.get(events[i]!.userId)!);
  }

  /** Arrivals of those ids among the events that were moved out of their user's state before. */
  function loadSeen(store: StateStore, events: readonly FoldEvent[], users: readonly CachedUser[]) {
    const ids = events.filter((_, i) => isOverflowed(users[i]!.bytes)).map(eventIdOf);
    const seen = new Map<string, number>();
    if (ids.length === 0) return seen;
    store.getMany(ids.map(seenKey)).forEach((value, i) => {
      if (value !== undefined) seen.set(seenName(ids[i]!), decodeArrival(value));
    });
    return seen;
  }

  function contextOf(event: FoldEvent, seen: Map<string, number>): FoldContext {
    return {
      config,
      watermark: arrivalOf(event),
      seenArrival(kind, eventId) {
        const name = seenName({ userId: event.userId, kind, eventId });
        return moved.get(name)?.arrival ?? seen.get(name);
      },
    };
  }

  return {
    fold(store, events) {
      const users = load(store, events);
      const seen = loadSeen(store, events, users);
      const effects = newEffects();
      const open = new Map<string, UserState>();
      events.forEach((event, i) => {
        const user = users[i]!;
        if (!open.has(event.userId) && append(config, user, event)) {
          noteClick(effects, event);
          cache.touched(event.userId, user);
          return;
        }
        const state = open.get(event.userId) ?? decodeUser(bytesOf(user));
        open.set(event.userId, state);
        fold(contextOf(event, seen), state, event, effects);
        for (const id of effects.movedOut.splice(0)) moved.set(seenName(id), id);
      });
      for (const [userId, state] of open) {
        const user = cache.get(userId)!;
        Object.assign(user, encodeUser(state), { stored: 0 });
        cache.touched(userId, user);
      }
      cache.evict();
      return effects;
    },
    isFull: cache.isFull,
    takeChanges(expired) {
      const puts: StateEntry[] = [];
      const appends: StateEntry[] = [];
      // What the sweep read may have come back to life since. A user deleted must not be added to.
      const deletes = expired.filter((key) => !isUserKey(key) || cache.drop(userOfKey(key)));
      for (const [userId, user] of cache.takeDirty()) {
        const { bytes, length, stored } = user;
        (stored === 0 ? puts : appends).push({ key: userKey(userId), value: bytes.subarray(stored, length) });
        user.stored = length;
      }
      for (const id of moved.values()) puts.push({ key: seenKey(id), value: encodeArrival(id.arrival) });
      moved.clear();
      return { deletes, puts, appends };
    },
  };
}

/** Most clicks come in order: they are added to the bytes of their user. */
function append(config: AttributionConfig, user: CachedUser, event: FoldEvent): event is FoldEvent & { kind: 'click' } {
  if (event.kind !== 'click' || !(event.touch instanceof StoredTouch)) return false;
  return appendClick(user, event.touch, {
    maxTouches: config.maxTouches,
    oldestTouch: event.touch.arrival - config.touchRetentionMs,
    oldestConversion: event.touch.arrival - config.conversionRetentionMs,
  });
}

function arrivalOf(event: FoldEvent): number {
  return event.kind === 'click' ? event.touch.arrival : event.conversion.arrival;
}

function eventIdOf(event: FoldEvent): Omit<SeenId, 'arrival'> {
  const { kind, userId } = event;
  return { kind, userId, eventId: kind === 'click' ? event.touch.clickId : event.conversion.conversionId };
}

function seenName(id: Omit<SeenId, 'arrival'>): string {
  return seenKey(id).toString();
}

export function encodeArrival(arrival: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(arrival);
  return bytes;
}

export function decodeArrival(bytes: Buffer): number {
  return bytes.readDoubleLE();
}
