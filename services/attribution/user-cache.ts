import type { EncodedUser } from './state-codec.ts';

/** A user's state in memory. */
export interface CachedUser extends EncodedUser {
  /** So many of the bytes are in the store as they are here, but for counts in their header; 0 if the store's differ. */
  stored: number;
  /** It is not yet in the store as it is here. */
  isDirty: boolean;
  /** Somebody asked for it since eviction last came by. */
  wasSeen: boolean;
  /** Bytes that the cache counts for it. */
  counted: number;
}

/** The users of one partition that were seen last, and all whose state the store does not have yet. */
export interface UserCache {
  get(userId: string): CachedUser | undefined;
  /**
   * Takes in a user that is not there.
   *
   * @param stored how many of its bytes are in the store
   */
  add(userId: string, user: EncodedUser, stored: number): CachedUser;
  /** The user's bytes have changed. */
  touched(userId: string, user: CachedUser): void;
  /** What has changed takes so much of the budget that it is time to store it. */
  isFull(): boolean;
  /** What has changed since the last call, which the caller now stores. */
  takeDirty(): [string, CachedUser][];
  /** Forgets users that were not seen for long, as many as are over the budget. */
  evict(): void;
  /** Forgets a user, unless what has changed of it is not yet stored: then the answer is false. */
  drop(userId: string): boolean;
}

/** What a user takes beside its bytes, about: its id, its place in the map, its objects, the head of its memory. */
const USER_OVERHEAD_BYTES = 400;

/** What has changed can't be evicted: so much of the budget is left for the rest. */
const MOST_DIRTY = 0.75;

/**
 * Evicts by the clock algorithm (Corbató, "A paging experiment with the Multics system", 1969): a hand goes round, takes
 * from who was seen the mark of it, and evicts who has none. That is nearly "least recently used" at the price of a flag.
 *
 * @param budgetBytes about how many bytes to keep, now; it may change from call to call
 */
export function newUserCache(budgetBytes: () => number): UserCache {
  const users = new Map<string, CachedUser>();
  let hand = users.entries();
  let bytes = 0;
  let dirtyBytes = 0;
  let dirty: [string, CachedUser][] = [];

  function count(user: CachedUser): void {
    const now = user.bytes.length + USER_OVERHEAD_BYTES;
    bytes += now - user.counted;
    if (user.isDirty) dirtyBytes += now - user.counted;
    user.counted = now;
  }

  function next(): [string, CachedUser] {
    let step = hand.next();
    if (step.done) {
      hand = users.entries();
      step = hand.next();
    }
    return step.value!;
  }

  function remove(userId: string, user: CachedUser): void {
    users.delete(userId);
    bytes -= user.counted;
  }

  return {
    get(userId) {
      const user = users.get(userId);
      if (user !== undefined) user.wasSeen = true;
      return user;
    },
    add(userId, encoded, stored) {
      const user = { bytes: encoded.bytes, length: encoded.length, stored, isDirty: false, wasSeen: true, counted: 0 };
      users.set(userId, user);
      count(user);
      return user;
    },
    touched(userId, user) {
      count(user);
      if (user.isDirty) return;
      user.isDirty = true;
      dirtyBytes += user.counted;
      dirty.push([userId, user]);
    },
    isFull: () => dirtyBytes >= MOST_DIRTY * budgetBytes(),
    takeDirty() {
      const taken = dirty;
      dirty = [];
      dirtyBytes = 0;
      for (const [, user] of taken) user.isDirty = false;
      return taken;
    },
    evict() {
      const budget = budgetBytes();
      // Two rounds take the mark from all and come back to each.
      for (let steps = 2 * users.size; bytes > budget && steps > 0; steps--) {
        const [userId, user] = next();
        if (user.isDirty) continue;
        if (user.wasSeen) user.wasSeen = false;
        else remove(userId, user);
      }
    },
    drop(userId) {
      const user = users.get(userId);
      if (user?.isDirty) return false;
      if (user !== undefined) remove(userId, user);
      return true;
    },
  };
}
