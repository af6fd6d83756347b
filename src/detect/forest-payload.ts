import { HeliosError } from '../lib/errors.ts';
import { averagePathLength, LEAF, type IsolationForest } from './isolation-forest.ts';

/** What scoring needs beside the record: the trees, the scaler, the calibrated threshold. */
export interface ForestPayload {
  forest: IsolationForest;
  /** Per feature, in raw units: what a missing value is taken for, and what is subtracted before scaling. */
  median: Float64Array;
  /** Per feature, in raw units: what a value is divided by. Never 0. */
  scale: Float64Array;
  /** Calibrated, `score_samples` convention. */
  threshold: number;
}

/**
 * Layout, little endian. Header: version u8, features u8, trees u16, samples u32, nodes u32, threshold f64; then median
 * f64 and scale f64 a feature. Nodes in preorder, tree after tree: feature u8 + threshold f32, or 255 + rows u16 at a
 * leaf. Thresholds of forests grown here are float32 already, and path lengths follow from depth and rows.
 */
const VERSION = 1;
const HEADER_BYTES = 20;
const LEAF_TAG = 255;

export function encodeForest({ forest, median, scale, threshold }: ForestPayload): Uint8Array {
  const { featureCount, feature, right, roots } = forest;
  let size = HEADER_BYTES + 16 * featureCount;
  for (const f of feature) size += f === LEAF ? 3 : 5;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, featureCount);
  view.setUint16(2, roots.length, true);
  view.setUint32(4, forest.maxSamples, true);
  view.setUint32(8, feature.length, true);
  view.setFloat64(12, threshold, true);
  let at = HEADER_BYTES;
  for (const column of [median, scale]) {
    for (const value of column) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  }
  for (let node = 0; node < feature.length; node++) {
    const f = feature[node] as number;
    if (f === LEAF) {
      view.setUint8(at, LEAF_TAG);
      view.setUint16(at + 1, right[node] as number, true);
      at += 3;
    } else {
      view.setUint8(at, f);
      view.setFloat32(at + 1, forest.threshold[node] as number, true);
      at += 5;
    }
  }
  return bytes;
}

/** Inverse of `encodeForest`. Throws `corrupt_data`. */
export function decodeForest(payload: Uint8Array): ForestPayload {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (payload.length < HEADER_BYTES) throw corrupt('it is cut short');
  if (view.getUint8(0) !== VERSION) throw corrupt(`its format version is ${view.getUint8(0)}, not ${VERSION}`);
  const featureCount = view.getUint8(1);
  const nodeCount = view.getUint32(8, true);
  const nodesAt = HEADER_BYTES + 16 * featureCount;
  if (payload.length < nodesAt + 3 * nodeCount) throw corrupt('it is cut short');
  const column = (at: number): Float64Array =>
    Float64Array.from({ length: featureCount }, (_, i) => view.getFloat64(at + 8 * i, true));
  const forest: IsolationForest = {
    featureCount,
    maxSamples: view.getUint32(4, true),
    roots: new Uint32Array(view.getUint16(2, true)),
    feature: new Int16Array(nodeCount),
    threshold: new Float64Array(nodeCount),
    right: new Uint32Array(nodeCount),
  };
  const end = decodeNodes(forest, view, nodesAt);
  if (end !== payload.length) throw corrupt('it has bytes to spare');
  const median = column(HEADER_BYTES);
  return { forest, median, scale: column(HEADER_BYTES + 8 * featureCount), threshold: view.getFloat64(12, true) };
}

/** Rebuilds `right` from the preorder: a stack of nodes whose left side is being read. Returns where the nodes end. */
function decodeNodes(forest: IsolationForest, view: DataView, start: number): number {
  const { featureCount, roots, feature, threshold, right } = forest;
  let at = start;
  let node = 0;
  for (let tree = 0; tree < roots.length; tree++) {
    roots[tree] = node;
    const open: number[] = [];
    const depths: number[] = [];
    let depth = 0;
    for (;;) {
      if (node === feature.length || at + 3 > view.byteLength) throw corrupt('it is cut short');
      const f = view.getUint8(at);
      if (f !== LEAF_TAG) {
        if (f >= featureCount || at + 5 > view.byteLength) throw corrupt('a node compares an unknown feature');
        feature[node] = f;
        threshold[node] = view.getFloat32(at + 1, true);
        open.push(node++);
        depths.push(++depth);
        at += 5;
        continue;
      }
      const rows = view.getUint16(at + 1, true);
      feature[node] = LEAF;
      threshold[node] = depth + averagePathLength(rows);
      right[node++] = rows;
      at += 3;
      const parent = open.pop();
      if (parent === undefined) break;
      right[parent] = node;
      depth = depths.pop() as number;
    }
  }
  if (node !== feature.length) throw corrupt('a tree is missing');
  return at;
}

function corrupt(why: string): HeliosError {
  return new HeliosError('corrupt_data', `cannot read a stored forest: ${why}`);
}
