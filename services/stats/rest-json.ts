import type { DescField, DescMessage, MessageShape } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { shortNames } from './requests/enum-names.ts';

/** Fields of money and of shares, which people read in units. */
const MICROS = /_micros$/;
const MILLION = 1_000_000n;

/**
 * A message as REST answers it, in JSON: all its fields by their names in the contract, null where one is absent;
 * 64-bit integers as numbers with all of their digits; what is in micros in units, as exact decimals and
 * without `_micros` in its name; enums by their short names.
 */
export function restJson<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): string {
  return JSON.stringify(plain(schema, message as Readonly<Record<string, unknown>>));
}

function plain({ fields }: DescMessage, message: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(
    fields.map((field) => {
      const value = message[field.localName];
      const name = field.name.replace(MICROS, '');
      if (field.fieldKind === 'list') return [name, (value as unknown[]).map((each) => plainItem(field, each))];
      if (field.fieldKind === 'map') return [name, value];
      const isAbsent = value === undefined || (field.presence === FeatureSet_FieldPresence.EXPLICIT && value === null);
      return [name, isAbsent ? null : plainItem(field, value)];
    }),
  );
}

function plainItem({ name, message, enum: values, scalar }: DescField, value: unknown): unknown {
  if (message !== undefined) return plain(message, value as Readonly<Record<string, unknown>>);
  if (values !== undefined) return shortNameOf(shortNames(values), value as number);
  if (typeof value === 'bigint') return JSON.rawJSON(MICROS.test(name) ? decimal(value) : String(value));
  if (scalar === ScalarType.BYTES) return Buffer.from(value as Uint8Array).toString('base64');
  return value;
}

function shortNameOf(names: ReadonlyMap<string, number>, value: number): string {
  for (const [name, number] of names) if (number === value) return name;
  return 'unspecified';
}

/** An amount in units, with all of its digits and no more. */
export function decimal(micros: bigint): string {
  const size = micros < 0n ? -micros : micros;
  const fraction = (size % MILLION).toString().padStart(6, '0').replace(/0+$/, '');
  return `${micros < 0n ? '-' : ''}${size / MILLION}${fraction === '' ? '' : `.${fraction}`}`;
}
