import type { MeshProcess } from '../fixtures/mesh-process.ts';

/** One thing to measure, always on a mesh that was just started on an empty folder. */
export interface Scenario<Mesh extends MeshProcess = MeshProcess> {
  /** What --only takes. */
  name: string;
  /** What is done and how it is measured, for the results page. */
  method: string;
  /** Starts the mesh on a folder; by default all in one process. */
  start?(dataDir: string): Promise<Mesh>;
  /** Throws if the mesh did not count exactly what it acknowledged. Quick runs take seconds and mean nothing. */
  run(mesh: Mesh, quick: boolean): Promise<Figure[]>;
}

export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** What the product promises. */
  floor?: { atLeast: number } | { atMost: number };
}
