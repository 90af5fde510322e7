import assert from 'node:assert/strict';
import { isText } from '../memory/string-table.ts';
import { MOST_MODELS } from './counter-table.ts';

/** A model and its number in a table. */
export interface NumberedModel {
  name: string;
  number: number;
}

/** The model of unattributed conversions, whose number is 0. */
export const NO_MODEL = '';

/** Numbers of models, as they are met. There are few, of which each is met early. */
export class ModelNumbers {
  readonly #names = [NO_MODEL];
  #byName: readonly NumberedModel[] = [{ name: NO_MODEL, number: 0 }];

  get count(): number {
    return this.#names.length;
  }

  /** All of them by name: the order in which they were met depends on where this process began to read. */
  get byName(): readonly NumberedModel[] {
    return this.#byName;
  }

  /** The number of the model whose name, in ASCII, lies in these bytes. */
  numberIn(bytes: Buffer, start: number, end: number): number {
    const names = this.#names;
    for (let number = 0; number < names.length; number++) if (isText(names[number]!, bytes, start, end)) return number;
    return this.numberOf(bytes.toString('latin1', start, end));
  }

  numberOf(name: string): number {
    const known = this.#names.indexOf(name);
    if (known >= 0) return known;
    assert(this.#names.length < MOST_MODELS, 'more models than there ever were');
    this.#names.push(name);
    this.#byName = this.#names.map((name, number) => ({ name, number })).sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#names.length - 1;
  }
}
