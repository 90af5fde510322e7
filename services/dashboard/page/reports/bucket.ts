/** A period of a chart. */
export interface Bucket {
  /** What stands on the axis; empty where there is no room for all. */
  tick: string;
  /** The period and its numbers in full, a line each. */
  text: string;
  /** Undefined if it is not defined, such as a rate without clicks. */
  value: number | undefined;
  previous: number | undefined;
  /** It is not over. */
  isOpen: boolean;
}
