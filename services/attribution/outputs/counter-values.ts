const FIRST_BYTES = 1024;
/** Most bytes of UTF-8 of a unit of UTF-16. */
const UNIT_BYTES = 3;

/** The values of a counter's dimensions in UTF-8, of one counter at a time: a string of each would take longer. */
export class CounterValues {
  /** Each with a NUL behind it, which none has. */
  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  /** How many there are. */
  count = 0;
  /** Where each of these ends. */
  readonly ends: number[] = [];

  clear(): void {
    this.count = 0;
  }

  /** Where the next value begins: behind the last one and its NUL. */
  get length(): number {
    return this.count === 0 ? 0 : this.ends[this.count - 1]! + 1;
  }

  add(from: Uint8Array, start: number, end: number): void {
    let at = this.length;
    this.#reserve(at + end - start + 1);
    const { bytes } = this;
    // A few bytes: a loop takes less than a call into the runtime.
    for (let i = start; i < end; i++) bytes[at++] = from[i]!;
    bytes[at] = 0;
    this.ends[this.count++] = at;
  }

  addText(text: string): void {
    const at = this.length;
    this.#reserve(at + UNIT_BYTES * text.length + 1);
    const end = at + this.bytes.write(text, at);
    this.bytes[end] = 0;
    this.ends[this.count++] = end;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.bytes.length) return;
    const before = this.bytes;
    this.bytes = Buffer.allocUnsafeSlow(2 * bytes);
    before.copy(this.bytes);
  }
}
