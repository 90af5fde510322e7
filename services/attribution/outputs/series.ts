import { HOUR_MS } from '../../contract/limits.ts';
import type { ReportDays } from '../../contract/report-days.ts';
import { metadataKeyOf, metadataKeysOf, type Rollup } from '../../contract/rollups.ts';
import { metadataOfKeys, metadataValue } from '../memory/counted-metadata.ts';
import type { TouchTexts } from '../memory/touch-memory.ts';
import type { Clicks } from './clicks.ts';
import type { CounterValues } from './counter-values.ts';

const FIRST = 1024;
/** Counter + 1 | period | group. */
const LAST_WORDS = 3;

/**
 * How the counters of one rollup are found by the numbers of a click's texts. Most clicks count where the last click of
 * their ad, or of their group, did: that counter is found without hashing. Takes less memory than the texts do.
 */
export class Series {
  readonly rollup: Rollup;
  readonly byType: boolean;
  readonly byAd: boolean;
  readonly byMetadata: boolean;
  /** Keys of the metadata that it is by, ascending. */
  readonly #metadataKeys: readonly string[];
  /** Whether it is by anything that the number of an ad stands for. */
  readonly #byAdNumber: boolean;
  readonly #byCampaign: boolean;
  readonly #bySource: boolean;
  readonly #isByHour: boolean;
  readonly #days: ReportDays;
  /** By ad, or else by group. */
  #last = new Int32Array(FIRST * LAST_WORDS);
  /** Groups + 1 by campaign and source, where they are other numbers. */
  #groups = new Int32Array(FIRST);
  /** Numbers of ads + 1 without metadata that it is not by, by the numbers of those with all. */
  #ads = new Int32Array(0);

  constructor(rollup: Rollup, days: ReportDays) {
    const { dimensions, grain } = rollup;
    this.rollup = rollup;
    this.byAd = dimensions.includes('ad_id');
    this.#metadataKeys = metadataKeysOf([rollup]);
    this.byMetadata = this.#metadataKeys.length > 0;
    this.#byAdNumber = this.byAd || this.byMetadata;
    this.byType = dimensions.includes('conversion_type');
    this.#byCampaign = dimensions.includes('campaign_id');
    this.#bySource = dimensions.includes('source');
    this.#isByHour = grain === 'hour';
    this.#days = days;
  }

  periodOf(timestamp: number): number {
    return this.#isByHour ? Math.floor(timestamp / HOUR_MS) : this.#days.dayOf(timestamp);
  }

  /** The number of that campaign and source of which those are empty that the rollup is not by. */
  groupOf(texts: TouchTexts, campaignSource: number): number {
    if (this.#byCampaign && this.#bySource) return campaignSource;
    if (campaignSource >= this.#groups.length) this.#groups = larger(this.#groups, campaignSource);
    const known = this.#groups[campaignSource]! - 1;
    if (known >= 0) return known;
    const { bytes } = texts.campaignSources;
    const [start, end] = [texts.campaignSources.startOf(campaignSource), texts.campaignSources.endOf(campaignSource)];
    const campaignEnd = texts.campaignEndOf(campaignSource);
    const group = texts.campaignSourceOf(
      bytes,
      start,
      this.#byCampaign ? campaignEnd : start,
      this.#bySource ? campaignEnd + 1 : end,
      end,
    );
    this.#groups[campaignSource] = group + 1;
    return group;
  }

  /** The number of the ad without metadata that the rollup is not by; 0 if it is neither by ads nor by metadata. */
  adOf(texts: TouchTexts, ad: number): number {
    if (!this.#byAdNumber) return 0;
    if (this.byAd && !texts.ads.hasNul) return ad;
    if (ad >= this.#ads.length) this.#ads = larger(this.#ads, ad);
    const known = this.#ads[ad]! - 1;
    if (known >= 0) return known;
    const metadata = metadataOfKeys(texts.metadataOf(ad), this.#metadataKeys);
    const number = texts.adNamed({ adId: this.byAd ? texts.adIdOf(ad) : '', metadata });
    this.#ads[ad] = number + 1;
    return number;
  }

  /** The counter of the last click, if it was of this group, ad and period; -1 if not. */
  lastCounter(group: number, ad: number, period: number): number {
    const at = LAST_WORDS * (this.#byAdNumber ? ad : group);
    const last = this.#last;
    if (at >= last.length || last[at + 1] !== period || last[at + 2] !== group) return -1;
    return last[at]! - 1;
  }

  /** Puts what `lastCounter` has for each of some clicks where a list has room for it from `at` on. */
  lastCounters(texts: TouchTexts, clicks: Clicks, counters: Int32Array, at: number): void {
    const { count, campaignSources, ads, timestamps } = clicks;
    for (let i = 0; i < count; i++) {
      const group = this.groupOf(texts, campaignSources[i]!);
      counters[at + i] = this.lastCounter(group, ads[i]!, this.periodOf(timestamps[i]!));
    }
  }

  noteLast(group: number, ad: number, period: number, counter: number): void {
    const at = LAST_WORDS * (this.#byAdNumber ? ad : group);
    if (at >= this.#last.length) this.#last = larger(this.#last, at + 2);
    this.#last[at] = counter + 1;
    this.#last[at + 1] = period;
    this.#last[at + 2] = group;
  }

  /** Forgets all numbers. */
  clear(): void {
    this.#last = new Int32Array(FIRST * LAST_WORDS);
    this.#groups = new Int32Array(FIRST);
    this.#ads = new Int32Array(0);
  }

  /** Adds the values of the dimensions, in their order. */
  addValues(texts: TouchTexts, group: number, ad: number, conversionType: string, to: CounterValues): void {
    const { campaignSources, ads } = texts;
    for (const dimension of this.rollup.dimensions) {
      switch (dimension) {
        case 'campaign_id':
          to.add(campaignSources.bytes, campaignSources.startOf(group), texts.campaignEndOf(group));
          break;
        case 'source':
          to.add(campaignSources.bytes, texts.campaignEndOf(group) + 1, campaignSources.endOf(group));
          break;
        case 'ad_id':
          to.add(ads.bytes, ads.startOf(ad), texts.adIdEndOf(ad));
          break;
        case 'conversion_type':
          to.addText(conversionType);
          break;
        default:
          to.addText(metadataValue(texts.metadataOf(ad), metadataKeyOf(dimension)));
      }
    }
  }
}

function larger(numbers: Int32Array<ArrayBuffer>, index: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(Math.max(2 * numbers.length, index + 1));
  grown.set(numbers);
  return grown;
}
