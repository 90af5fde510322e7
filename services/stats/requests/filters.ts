import type { ReportFilter } from '../../../gen/ts/clickmesh/v1/reports_pb.js';
import { type Dimension, dimensionNamed, FIELDS } from '../../contract/rollups.ts';
import { type FieldError, unknownValue } from './field-error.ts';
import { textFault } from './text-fault.ts';

/** Most values of a filter. */
const MAX_FILTER_VALUES = 100;

/** Names that a filter's dimension can have, as errors list them. */
export const FILTER_NAMES = [...FIELDS, 'metadata.KEY'] as const;

/** A checked filter: at most one of each dimension. */
export interface Filter {
  dimension: Dimension;
  /** At least one. An empty one is what has no such value. */
  values: readonly string[];
  exclude: boolean;
}

/** The filters of a request, or what can't be answered of them. */
export function parseFilters(filters: readonly ReportFilter[]): Filter[] | FieldError {
  const parsed: Filter[] = [];
  for (const { dimension: name, values, exclude } of filters) {
    const dimension = dimensionNamed(name);
    if (dimension === undefined) return unknownValue('filters', name, FILTER_NAMES);
    if (parsed.some((each) => each.dimension === dimension)) {
      return { field: 'filters', message: `filters has ${name} twice: put its values into one, or leave some out` };
    }
    if (values.length === 0 || values.length > MAX_FILTER_VALUES) {
      const message = `filters must have 1 to ${MAX_FILTER_VALUES} values of ${name}: it has ${values.length}`;
      return { field: 'filters', message };
    }
    for (const value of values) {
      const fault = textFault({ [name]: value });
      if (fault !== undefined) return fault;
    }
    parsed.push({ dimension, values, exclude });
  }
  return parsed;
}
