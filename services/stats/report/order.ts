import type { Dimension } from '../../contract/rollups.ts';
import { type FieldError, unknownValue } from '../requests/field-error.ts';

/** Measures that rows have once, and those that they have under each model, by their names outside of Protobuf. */
export const CLICK_MEASURES = ['clicks', 'invalid_clicks'] as const;
export const MODEL_MEASURES = [
  'conversions',
  'revenue',
  'cvr',
  'gross_conversions',
  'gross_revenue',
  'refunds',
] as const;
export type ClickMeasure = (typeof CLICK_MEASURES)[number];
export type ModelMeasure = (typeof MODEL_MEASURES)[number];

/** What rows are ordered by first. */
export type Order = { descending: boolean } & (
  | { kind: 'date' | 'spread' }
  | { kind: 'dimension'; name: Dimension | 'model' }
  | { kind: 'clicks'; measure: ClickMeasure }
  /** `model` is its place among the request's. */
  | { kind: 'model'; measure: ModelMeasure; model: number }
);

export function parseOrder(
  text: string,
  groupBy: readonly (Dimension | 'model')[],
  models: readonly string[],
): Order | FieldError {
  if (text === '') return { kind: 'date', descending: false };
  const descending = text.startsWith('-');
  const name = descending ? text.slice(1) : text;
  if (name === 'date') return { kind: name, descending };
  const dimension = groupBy.find((each) => each === name);
  if (dimension !== undefined) return { kind: 'dimension', name: dimension, descending };
  const measure = CLICK_MEASURES.find((each) => each === name);
  if (measure !== undefined) return { kind: 'clicks', measure, descending };
  // Rows of one model each have no other to be ordered by.
  const isByModel = groupBy.includes('model');
  const [ofModel, model, ...rest] = name.split('.');
  const found = MODEL_MEASURES.find((each) => each === ofModel);
  const place = model === undefined ? 0 : models.indexOf(model);
  if (found !== undefined && place >= 0 && rest.length === 0 && !(isByModel && model !== undefined)) {
    return { kind: 'model', measure: found, model: place, descending };
  }
  if (name === 'spread' && !isByModel) return { kind: 'spread', descending };
  const ofOthers = isByModel ? [] : [...models.slice(1).map((each) => `revenue.${each}`), 'spread'];
  return unknownValue('order_by', text, ['date', ...groupBy, ...CLICK_MEASURES, ...MODEL_MEASURES, ...ofOthers]);
}
