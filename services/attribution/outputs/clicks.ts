/**
 * Clicks that are to be counted, in columns: each rollup looks up the counters of all of them at once. In a loop of
 * nothing else the processor waits for the memory of many counters at a time; between one event and the next it would
 * wait for each. The memory is used again for the next batch.
 */
export class Clicks {
  count = 0;
  campaignSources = new Int32Array(FIRST);
  ads = new Int32Array(FIRST);
  /** When they happened, in ms. */
  timestamps = new Float64Array(FIRST);
  offsets = new Float64Array(FIRST);

  add(campaignSource: number, ad: number, timestamp: number, offset: number): void {
    const i = this.count++;
    if (i === this.offsets.length) this.#grow();
    this.campaignSources[i] = campaignSource;
    this.ads[i] = ad;
    this.timestamps[i] = timestamp;
    this.offsets[i] = offset;
  }

  #grow(): void {
    const { campaignSources, ads, timestamps, offsets } = this;
    const room = 2 * offsets.length;
    this.campaignSources = new Int32Array(room);
    this.ads = new Int32Array(room);
    this.timestamps = new Float64Array(room);
    this.offsets = new Float64Array(room);
    this.campaignSources.set(campaignSources);
    this.ads.set(ads);
    this.timestamps.set(timestamps);
    this.offsets.set(offsets);
  }
}

const FIRST = 1024;
