import { readUuidText, UUID_WORDS } from '../../contract/uuid.ts';
import { cacheHits, cacheMisses } from '../../telemetry/metrics.ts';
import type { AttributionConfig } from '../decision/config.ts';
import { correct } from '../decision/corrections.ts';
import { type Effects, newEffects } from '../decision/effects.ts';
import { type FoldContext, type FoldEvent, fold, type OutcomeEvent } from '../decision/fold.ts';
import { assertNever } from '../decision/kinds.ts';
import { decideNew, type Rest } from '../decision/settle.ts';
import { arrivalOf, type RememberedConversion, type SpilledId, type UserState } from '../decision/state.ts';
import { idAt, putTouch, TOUCH_WORDS, type TouchMemory, TouchSpace, touchMemory } from '../memory/touch-memory.ts';
import { isUserKey, userKey, userOfKey } from '../store/keys.ts';
import { LongestApart } from '../store/longest-apart.ts';
import type { StateChanges, StateEntry, StateStore } from '../store/state-store.ts';
import { EntryFailure } from '../store/store-failure.ts';
import { hasOverflow, readConversions, readCorrections, StateWriter } from '../store/user-codec.ts';
import { type EventBatch, touchAt } from './event-batch.ts';
import { loadUser } from './load-user.ts';
import { keptOf, type OpenUser } from './open-user.ts';
import { OverflowStore } from './overflow.ts';
import { SpilledIds } from './spilled-ids.ts';
import { countTouch, type OnClick, takeNewest } from './take-touch.ts';
import { UnfinishedUser, UnfinishedUsers } from './unfinished-user.ts';
import { CONVERSIONS, NO_PLACE, OVERFLOW, SPILLED, TOUCHES } from './user-slots.ts';
import { UserTable } from './user-table.ts';

/**
 * Share of the cache that unflushed users may fill before a flush is due: RocksDB has them twice, as a write and in its
 * memtable, until they are on disk.
 */
const MOST_DIRTY = 0.5;

/** Share of the cache that texts may take; then they are forgotten, with all users whose touches have their numbers. */
const MOST_TEXTS = 0.25;

/** Share of the cache that the states may take that are read for one batch. */
const MOST_LOADED = 0.25;
/** States read at once: some may have megabytes. */
const LOADED_AT_ONCE = 64;

/**
 * Share of the cache that what follows from a batch may take before the batch takes no more events. What follows from
 * one event is as much as `partBytes` at once.
 */
const MOST_EFFECTS = 1 / 16;
/** Bytes that may follow from a batch, however small the cache is: each batch waits for an fsync. */
const LEAST_EFFECTS = 256 << 10;
/** Share of the cache that the filter of spilled ids may take; with 512 MB in all, those of ten million ids. */
const FILTER_SHARE = 1 / 16;
/** Share of the cache that users get, but for the filter: a partition has what follows from two batches under way. */
const USERS_SHARE = 1 - 2 * MOST_EFFECTS;

/** Most bytes of memory for stored conversions that are kept from one batch to the next. */
const MOST_STORED = 16 << 20;

/** The users of one partition, ahead of its store. */
export class Users {
  table: UserTable;
  /** Of whom events are folded in part, which `goOn` does the rest of. */
  readonly unfinished = new UnfinishedUsers();
  readonly #config: AttributionConfig;
  readonly #cacheBytes: () => number;
  #spilled: SpilledIds | undefined;
  readonly #overflow = new OverflowStore();
  readonly #longestApart: LongestApart;
  /** Memory of open users: their touches, and their conversions as they are stored. */
  #space: TouchSpace;
  #stored = new StateWriter();
  readonly #writer = new StateWriter();
  readonly #writeTouch = (memory: TouchMemory, at: number) => this.#writer.touchAt(memory, at, this.table.texts);

  /** @param cacheBytes about how many bytes of states to keep in memory, now */
  constructor(config: AttributionConfig, cacheBytes: () => number) {
    this.#config = config;
    this.#cacheBytes = cacheBytes;
    this.table = new UserTable(config.rollups);
    this.#space = new TouchSpace(this.table.texts);
    this.#longestApart = new LongestApart(config);
  }

  /**
   * Folds events, in their order, into their users: at least the first, and as many as there is memory for what is read
   * for them and follows from them; the others are cut from `events`, as those behind one that is folded in part. A
   * click is either passed to `onClick` or among the clicks of the effects, whose touches are good until the next call.
   */
  fold(store: StateStore, events: EventBatch, onClick: OnClick): Effects {
    this.#space.clear();
    this.#stored.length = 0;
    if (this.#stored.bytes.length > MOST_STORED) this.#stored = new StateWriter();
    events.findUsers();
    this.#load(store, events);
    this.#longestApart.read(store);
    const spilled = this.#spilledIds(store);
    const stored = spilled.findStored(store, events);
    const [effects, open]: [Effects, OpenUser[]] = [newEffects(), []];
    const mostEffects = Math.max(LEAST_EFFECTS, MOST_EFFECTS * this.#cacheBytes());
    let rest: Rest | undefined;
    let last: OpenUser | undefined;
    for (let i = 0; i < events.count; i++) {
      const slot = events.slots[i]!;
      const place = this.table.slots.placeOf(slot);
      const isNew = !this.table.slots.has(slot, SPILLED) && !stored.has(i);
      if (isNew && place === NO_PLACE && this.#takeShortWay(slot, events, i, effects, onClick)) {
        if (effects.bytes >= mostEffects) events.cut(i + 1);
        continue;
      }
      last = place === NO_PLACE ? this.#openIn(open, slot) : open[place]!;
      if (!stored.has(i) && this.#takeNewest(store, events, i, last, spilled, effects, onClick)) continue;
      rest = this.#foldWhole(store, events.eventAt(i), last, spilled, stored.get(i), effects);
      if (rest !== undefined || effects.bytes >= mostEffects) events.cut(i + 1);
    }
    for (const user of open) this.#close(user);
    if (rest !== undefined) this.#leave(store, last!.slot, rest);
    this.table.evict(USERS_SHARE * this.#cacheBytes() - spilled.filterBytes - this.#overflow.bytesUsed);
    return effects;
  }

  /** Folds another part of the first event that is folded in part. */
  goOn(): Effects {
    const effects = newEffects();
    const user = this.unfinished.goOn(effects);
    if (user !== undefined) this.#close(user);
    return effects;
  }

  /** Leaves the rest of an event to `goOn`. */
  #leave(store: StateStore, slot: number, rest: Rest): void {
    const user = this.#open(slot, new TouchSpace(this.table.texts), new StateWriter());
    const overflow = this.#overflow.frozen(store, rest.event.userId, slot, this.#spilledIds(store));
    this.unfinished.add(new UnfinishedUser(this.#config, rest, user, overflow, this.#longestApart.longestApartMs));
  }

  /** True once a flush is due, as what changed, or the texts, take too much memory. */
  isFull(): boolean {
    const unstored = this.table.dirtyBytes + this.#overflow.bytesUsed;
    return unstored >= MOST_DIRTY * this.#cacheBytes() || this.#hasTooManyTexts();
  }

  /**
   * Returns what changed since the last call, which the caller now stores: each entry before it takes the next one.
   *
   * @param expired keys that the sweep found; users that nothing changed of are deleted, but for their ids
   * @param watermark the partition's clock, in ms
   */
  takeChanges(store: StateStore, expired: readonly Buffer[], watermark: number): StateChanges {
    const deletes = this.#sweep(store, expired, watermark);
    const dirty = this.table.takeDirty();
    const [whole, added]: [number[], number[]] = [[], []];
    for (const slot of dirty) (this.table.slots.isAppendable(slot) ? added : whole).push(slot);
    return { deletes, puts: this.#puts(store, whole), appends: this.#appends(added) };
  }

  /** Forgets ids that are too old when the clock is at `watermark`, in ms, which must be stored before. */
  dropForgottenIds(store: StateStore, watermark: number): void {
    this.#spilled?.dropForgotten(store, watermark);
  }

  /** Forgets texts, and users with them, if there are too many. Only when all that changed is stored. */
  forgetTexts(): void {
    if (!this.#hasTooManyTexts()) return;
    this.table = new UserTable(this.#config.rollups);
    this.#space = new TouchSpace(this.table.texts);
  }

  #hasTooManyTexts(): boolean {
    return this.table.texts.bytesUsed >= MOST_TEXTS * this.#cacheBytes();
  }

  #spilledIds(store: StateStore): SpilledIds {
    this.#spilled ??= new SpilledIds(this.#config, store, FILTER_SHARE * this.#cacheBytes());
    return this.#spilled;
  }

  /** Spills the ids of expired users; returns the keys of all that can go. */
  #sweep(store: StateStore, expired: readonly Buffer[], watermark: number): Buffer[] {
    const gone = expired.filter((key) => !isUserKey(key));
    // What the sweep read may have come back to life since. A user deleted must not be added to.
    const users = expired.filter((key) => isUserKey(key) && this.table.drop(userOfKey(key)));
    for (let i = 0; i < users.length; i += LOADED_AT_ONCE) {
      const keys = users.slice(i, i + LOADED_AT_ONCE);
      const states = store.getMany(keys);
      for (let j = 0; j < keys.length; j++) {
        const [userId, state] = [userOfKey(keys[j]!), states[j]];
        // It says that there are others, as long as there are.
        if (state === undefined || (hasOverflow(state) && this.#overflow.has(store, userId))) continue;
        this.#spilledIds(store).addSwept(userId, state, watermark);
        gone.push(keys[j]!);
      }
    }
    return gone;
  }

  *#puts(store: StateStore, slots: readonly number[]): Generator<StateEntry> {
    for (const slot of slots) {
      const corrections = this.table.corrections(slot);
      const hasOverflow = this.table.slots.has(slot, OVERFLOW);
      this.#writer.begin({ hasOverflow, lastClosed: this.table.lastClosed(slot) });
      this.#writer.reserve(corrections.length);
      this.#writer.copy(corrections, 0, corrections.length);
      yield this.#entry(slot, 0, 0);
    }
    if (this.#spilled !== undefined) yield* this.#spilled.takePuts(this.table);
    yield* this.#overflow.takePuts(store);
    yield* this.#longestApart.takePuts();
  }

  *#appends(dirty: readonly number[]): Generator<StateEntry> {
    try {
      for (const slot of dirty) {
        const { slots } = this.table;
        this.#writer.length = 0;
        yield this.#entry(slot, slots.storedSize(slot, TOUCHES), slots.storedSize(slot, CONVERSIONS));
      }
    } catch (error) {
      throw new EntryFailure(error);
    }
  }

  #entry(slot: number, firstTouch: number, firstConversionByte: number): StateEntry {
    const writer = this.#writer;
    this.table.copyConversions(slot, firstConversionByte, writer);
    this.table.forEachTouch(slot, firstTouch, this.#writeTouch);
    this.table.slots.noteStored(slot);
    return { key: userKey(this.table.index.idOf(slot)), value: writer.bytes.subarray(0, writer.length) };
  }

  /** Fills in the users that were not in memory, as long as they fit there. */
  #load(store: StateStore, events: EventBatch): void {
    const { added } = events;
    const mostBytes = MOST_LOADED * this.#cacheBytes();
    let bytes = 0;
    let loaded = 0;
    while (loaded < added.length && (loaded === 0 || bytes < mostBytes)) {
      const slots = added.slice(loaded, loaded + LOADED_AT_ONCE);
      const stored = store.getMany(slots.map((slot) => userKey(this.table.index.idOf(slot))));
      for (let i = 0; i < slots.length; i++) {
        const state = stored[i];
        if (state === undefined) continue;
        loadUser(this.table, slots[i]!, state);
        bytes += state.length;
      }
      loaded += slots.length;
    }
    if (loaded < added.length) events.cutAtAdded(loaded);
    cacheHits.add(events.count - loaded);
    cacheMisses.add(loaded);
  }

  /**
   * Adds an event to its user without taking the state apart for the fold: most change nothing that is there. The short
   * way ends as the fold would have it. It may decline any event: then it returns false, and has changed nothing.
   */
  #takeShortWay(slot: number, events: EventBatch, i: number, effects: Effects, onClick: OnClick): boolean {
    const kind = events.kinds[i]!;
    switch (kind.role) {
      case 'touch':
        if (!this.table.takesTouch(slot, events.touches, touchAt(i), this.#longestApart)) return false;
        this.table.putTouch(slot, events.touches, touchAt(i));
        this.table.touched(slot);
        countTouch(kind.type, events, i, effects, onClick);
        return true;
      case 'outcome':
        return this.#addOutcome(slot, events.eventAt(i) as OutcomeEvent, effects);
      case 'adjustment':
      case 'verdict':
        return false;
      default:
        return assertNever(kind);
    }
  }

  #addOutcome(slot: number, event: OutcomeEvent, effects: Effects): boolean {
    const { conversionId, arrival } = event.conversion;
    readUuidText(conversionId, oneId, 0);
    if (!this.table.takesConversion(slot, oneId, arrival, this.#longestApart)) return false;
    const since = event.conversion.timestamp - this.#config.windows(event.conversion.type).lookbackMs;
    const touches = this.table.touchesOf(slot, this.#space, since);
    const user = { touches, invalidTouches: NONE, hasOverflow: false };
    decideNew({ config: this.#config, overflow: noOverflow }, user, event, correct(event.conversion, NONE), effects);
    this.#putConversion(slot, event.conversion);
    this.table.touched(slot);
    return true;
  }

  #openIn(open: OpenUser[], slot: number): OpenUser {
    const user = this.#open(slot, this.#space, this.#stored);
    this.table.slots.setPlace(slot, open.push(user) - 1);
    return user;
  }

  /** @param stored memory for the user's conversions */
  #open(slot: number, space: TouchSpace, stored: StateWriter): OpenUser {
    const touches = this.table.touchesOf(slot, space);
    const from = stored.length;
    this.table.copyConversions(slot, 0, stored);
    const conversions = readConversions(stored.bytes, from, stored.length);
    const { corrections, invalidTouches } = readCorrections(this.table.corrections(slot));
    const state = {
      touches: touches.slice(),
      invalidTouches: invalidTouches.slice(),
      conversions: conversions.slice(),
      corrections: corrections.slice(),
      hasOverflow: this.table.slots.has(slot, OVERFLOW),
      lastClosed: this.table.lastClosed(slot),
    };
    return { slot, state, touches, conversions, invalidTouches, corrections };
  }

  /** Likewise adds a touch to a state that has no room for one more. */
  #takeNewest(
    store: StateStore,
    events: EventBatch,
    i: number,
    { slot, state }: OpenUser,
    spilled: SpilledIds,
    effects: Effects,
    onClick: OnClick,
  ): boolean {
    const kind = events.kinds[i]!;
    if (kind.role !== 'touch' || spilled.has(slot, kind.role, events.touches.words, idAt(touchAt(i)))) return false;
    const dropped = takeNewest(this.#config, state, events.touchAt(i));
    if (dropped === undefined) return false;
    countTouch(kind.type, events, i, effects, onClick);
    effects.totals.touchesDropped++;
    this.#overflow.of(store, this.table.index.idOf(slot), slot, spilled).addTouch(dropped, false);
    return true;
  }

  /** @param stored what the store knows of the event, if its id was spilled */
  #foldWhole(
    store: StateStore,
    event: FoldEvent,
    user: OpenUser,
    spilled: SpilledIds,
    stored: SpilledId | undefined,
    effects: Effects,
  ): Rest | undefined {
    const context: FoldContext = {
      config: this.#config,
      watermark: arrivalOf(event),
      longestApartMs: this.#longestApart.longestApartMs,
      closedSeenUntil: this.#longestApart.closedSeenUntil,
      spilled: () => spilled.find(user.slot, event) ?? stored,
      overflow: (withClosed) => this.#overflow.of(store, event.userId, user.slot, spilled, withClosed),
    };
    const rest = fold(context, user.state, event, effects);
    if (effects.spilled.length > 0) this.table.slots.set(user.slot, SPILLED);
    for (const each of effects.spilled) spilled.add(user.slot, each);
    effects.spilled.length = 0;
    return rest;
  }

  /** Writes a user's state back: all that differs from the table, whatever event made it so. */
  #close(user: OpenUser): void {
    const { slot, state, touches, conversions } = user;
    this.table.slots.setPlace(slot, NO_PLACE);
    if (state.hasOverflow) this.table.slots.noteOverflow(slot);
    this.table.noteClosed(slot, state.lastClosed);
    const { keepsTouches, keepsConversions, keepsCorrections } = keptOf(user);
    if (!keepsTouches) this.table.clear(slot, TOUCHES);
    if (!keepsConversions) this.table.clear(slot, CONVERSIONS);
    for (let i = keepsTouches ? touches.length : 0; i < state.touches.length; i++) {
      putTouch(oneTouch, 0, state.touches[i]!, this.table.texts);
      this.table.putTouch(slot, oneTouch, 0);
    }
    for (let i = keepsConversions ? conversions.length : 0; i < state.conversions.length; i++) {
      this.#putConversion(slot, state.conversions[i]!);
    }
    if (!keepsCorrections) this.#putCorrections(slot, state);
    this.table.slots.noteKept(slot, state.bounds!.touchesKeptUntil - this.#config.retentionMs.touch);
    this.table.touched(slot);
  }

  #putCorrections(slot: number, { corrections, invalidTouches }: UserState): void {
    this.#writer.length = 0;
    for (const touch of invalidTouches) this.#writer.touch(touch, true);
    for (const correction of corrections) this.#writer.correction(correction);
    this.table.putCorrections(slot, Buffer.from(this.#writer.bytes.subarray(0, this.#writer.length)));
  }

  #putConversion(slot: number, conversion: RememberedConversion): void {
    this.#writer.length = 0;
    this.#writer.conversion(conversion);
    this.table.putConversion(slot, this.#writer.bytes, 0, this.#writer.length);
  }
}

const NONE: readonly never[] = [];
const oneTouch = touchMemory(TOUCH_WORDS);
const oneId = new Int32Array(UUID_WORDS);

/** Of a user whose state has room. */
function noOverflow(): never {
  throw new Error('all of the user is in its state');
}
