import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type AttributionSetting,
  AttributionSettingSchema,
  RollupStatsSchema,
} from '../../../gen/ts/clickmesh/v1/attribution_pb.js';
import type { ReportDays } from '../../contract/report-days.ts';
import type { AttributionConfig } from '../decision/config.ts';
import { COUNTERS_FROM, COUNTERS_TO } from '../store/counter-keys.ts';
import { SETTINGS_FROM, SETTINGS_TO, settingKey, settingName } from '../store/keys.ts';
import { entriesBetween, type StateEntry, type StateStore } from '../store/state-store.ts';

type Setting = Pick<AttributionSetting, 'kind' | 'name' | 'value'>;

/**
 * From when on one partition is under each setting: as it is stored, and as it changes with the first record that is
 * folded under other settings.
 */
export class Settings {
  readonly #config: AttributionConfig;
  readonly #days: ReportDays;
  readonly #known = new Map<string, AttributionSetting>();
  #isLoaded = false;
  #isPublished = false;
  #dirty: AttributionSetting[] = [];

  /** @param days those that are counted by, which never change */
  constructor(config: AttributionConfig, days: ReportDays) {
    this.#config = config;
    this.#days = days;
  }

  /**
   * Notes what changes with the first record that is folded; nothing at later calls.
   *
   * @param clock that of the partition before, in ms; undefined if nothing of it was ever counted
   * @param version offset of the first record that is counted
   */
  begin(store: StateStore, partition: number, clock: bigint | undefined, version: number): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    for (const { value } of entriesBetween(store, SETTINGS_FROM, SETTINGS_TO)) {
      const setting = fromBinary(AttributionSettingSchema, value);
      this.#known.set(settingName(setting), setting);
    }
    const now = { partition, version: BigInt(version) };
    const wanted = wantedBy(this.#config, this.#days);
    // A node that ended while it published them may have left some of those that it noted with this record.
    const isFirst = [...this.#known.values()].every((known) => Number(known.version) >= version);
    // What a build counted that did not note it, it may have counted from the first record on.
    const counted = isFirst && clock !== undefined ? countedModels(store) : new Set<string>();
    for (const setting of wanted) {
      const known = this.#known.get(settingName(setting));
      if (known !== undefined && known.until === 0n && known.value === setting.value) continue;
      const isOld = setting.kind === 'time_zone' || (isFirst && isCounted(setting, counted));
      this.#change({ ...setting, ...now, since: isOld ? 0n : (clock ?? 0n) });
    }
    const names = new Set(wanted.map(settingName));
    for (const setting of this.#known.values()) {
      if (setting.until !== 0n || names.has(settingName(setting))) continue;
      this.#change({ ...setting, ...now, until: clock ?? 1n });
    }
  }

  /** All settings, once: the node that has noted them may have ended before it published them. */
  takeUnpublished(): AttributionSetting[] {
    if (this.#isPublished || !this.#isLoaded) return [];
    this.#isPublished = true;
    return [...this.#known.values()];
  }

  /** What the store does not have as it is, which the caller now stores. */
  takeDirty(): StateEntry[] {
    const entries = this.#dirty.map((setting) => ({
      key: settingKey(settingName(setting)),
      value: Buffer.from(toBinary(AttributionSettingSchema, setting)),
    }));
    this.#dirty = [];
    return entries;
  }

  #change(changed: Omit<AttributionSetting, '$typeName' | 'until'> & { until?: bigint }): void {
    const { partition, kind, name, value, since, until, version } = changed;
    const setting = create(AttributionSettingSchema, { partition, kind, name, value, since, until, version });
    this.#known.set(settingName(setting), setting);
    this.#dirty.push(setting);
  }
}

function wantedBy({ models, rollups, lookbacksMs }: AttributionConfig, days: ReportDays): Setting[] {
  return [
    { kind: 'time_zone', name: days.zone, value: days.table },
    ...models.map((name) => ({ kind: 'model', name, value: '' })),
    ...rollups.map(({ name }) => ({ kind: 'rollup', name, value: '' })),
    ...Object.entries(lookbacksMs).map(([name, ms]) => ({ kind: 'lookback', name, value: String(ms) })),
  ];
}

/** Models of which there are counters of daily_stats. */
function countedModels(store: StateStore): Set<string> {
  const models = new Set<string>();
  for (const { value } of entriesBetween(store, COUNTERS_FROM, COUNTERS_TO)) {
    for (const { model } of fromBinary(RollupStatsSchema, value).models) models.add(model);
  }
  return models;
}

function isCounted({ kind, name }: Setting, models: ReadonlySet<string>): boolean {
  return kind === 'lookback' || (kind === 'model' && models.has(name));
}
