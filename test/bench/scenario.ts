import type { MeshProcess } from '../fixtures/mesh-process.ts';

/** What a scenario runs on, started on an empty folder. */
export interface Subject {
  stop(): Promise<unknown>;
}

/** One thing to measure. */
export interface Scenario<On extends Subject = MeshProcess> {
  /** What --only takes. */
  name: string;
  /** What is done and how it is measured, for the results page. */
  method: string;
  /** Tags of what it needs beside Node and npm, as test/needs.ts has them. */
  needs?: readonly string[];
  /** Starts what it runs on in a folder; by default a mesh that is all in one process. */
  start?(dataDir: string): Promise<On>;
  /** Throws if the mesh did not count exactly what it acknowledged. Quick runs take seconds and mean nothing. */
  run(on: On, quick: boolean): Promise<Figure[]>;
}

export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** What the product promises. */
  floor?: { atLeast: number } | { atMost: number };
}
