import type { EncodedUser } from './state-codec.ts';

/** A user's state in memory. */
export interface CachedUser extends EncodedUser {
  /** It is not yet in the store as it is here. */
  isDirty: boolean;
  /** Bytes that its generation counts for it. */
  counted: number;
}

/** The users of one partition that were seen last, and all whose state the store does not have yet. */
export interface UserCache {
  get(userId: string): CachedUser | undefined;
  /** Takes in a user that is not there. */
  add(userId: string, user: EncodedUser): CachedUser;
  /** The user's bytes have changed. */
  touched(userId: string, user: CachedUser): void;
  /** What has changed takes as much as the budget: it is time to store it. */
  isFull(): boolean;
  /** What has changed since the last call, which the caller now stores. Then forgets what was not seen for long. */
  takeDirty(): [string, CachedUser][];
}

/**
 * Keeps users in two generations: a user that is seen joins the young one, and when that holds half of the budget, the
 * old one is forgotten and the young one becomes old. That is nearly "least recently used" at the price of a Map.
 *
 * @param budgetBytes about how many bytes of states to keep
 */
export function newUserCache(budgetBytes: number): UserCache {
  let young = new Map<string, CachedUser>();
  let old = new Map<string, CachedUser>();
  let youngBytes = 0;
  let dirtyBytes = 0;
  let dirty: [string, CachedUser][] = [];

  function join(userId: string, user: CachedUser): CachedUser {
    young.set(userId, user);
    user.counted = 0;
    count(user);
    return user;
  }

  function count(user: CachedUser): void {
    youngBytes += user.bytes.length - user.counted;
    user.counted = user.bytes.length;
  }

  return {
    get(userId) {
      const user = young.get(userId);
      if (user !== undefined) return user;
      const aged = old.get(userId);
      return aged && join(userId, aged);
    },
    add: (userId, { bytes, length }) => join(userId, { bytes, length, isDirty: false, counted: 0 }),
    touched(userId, user) {
      if (!user.isDirty) dirty.push([userId, user]);
      dirtyBytes += user.bytes.length - (user.isDirty ? user.counted : 0);
      user.isDirty = true;
      count(user);
    },
    isFull: () => dirtyBytes >= budgetBytes,
    takeDirty() {
      const taken = dirty;
      dirty = [];
      dirtyBytes = 0;
      for (const [, user] of taken) user.isDirty = false;
      if (youngBytes > budgetBytes / 2) {
        old = young;
        young = new Map();
        youngBytes = 0;
      }
      return taken;
    },
  };
}
