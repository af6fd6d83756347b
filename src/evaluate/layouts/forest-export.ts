import { averagePathLength, LEAF, type IsolationForest } from '../../detect/isolation-forest.ts';
import type { FoundSet } from '../folder.ts';
import { readJson } from '../text-file.ts';

interface ExportedTree {
  left: number[];
  right: number[];
  feature: number[];
  threshold: number[];
  n: number[];
}

interface ExportedCase {
  name: string;
  offset_: number;
  max_samples_: number;
  trees: ExportedTree[];
  score_samples: number[];
  decision_function: number[];
  predict: number[];
}

export interface ForestCase {
  name: string;
  forest: IsolationForest;
  offset: number;
  queries: Float32Array;
  expected: { scores: number[]; decisions: number[]; labels: number[] };
}

/** Trees that another program grew, in the arrays of our forest: a left child follows its parent. */
export function importForest(trees: readonly ExportedTree[], featureCount: number, maxSamples: number): IsolationForest {
  const roots: number[] = [];
  const feature: number[] = [];
  const threshold: number[] = [];
  const right: number[] = [];
  for (const tree of trees) {
    const copy = (node: number, depth: number): number => {
      const at = feature.length;
      const rows = tree.n[node] as number;
      const isLeaf = tree.left[node] === LEAF;
      feature.push(isLeaf ? LEAF : (tree.feature[node] as number));
      threshold.push(isLeaf ? depth + averagePathLength(rows) : (tree.threshold[node] as number));
      right.push(rows);
      if (isLeaf) return at;
      copy(tree.left[node] as number, depth + 1);
      right[at] = copy(tree.right[node] as number, depth + 1);
      return at;
    };
    roots.push(copy(0, 0));
  }
  return {
    featureCount,
    maxSamples,
    roots: Uint32Array.from(roots),
    feature: Int16Array.from(feature),
    threshold: Float64Array.from(threshold),
    right: Uint32Array.from(right),
  };
}

/** sklearn-golden: forests of scikit-learn with the scores that it gave. */
export function readForestExports({ files }: FoundSet): ForestCase[] {
  return files.flatMap(({ path }) => {
    const { Q, cases } = readJson(path) as { Q: number[][]; cases: ExportedCase[] };
    const featureCount = Q[0]?.length ?? 0;
    return cases.map((own) => ({
      name: own.name,
      forest: importForest(own.trees, featureCount, own.max_samples_),
      offset: own.offset_,
      queries: Float32Array.from(Q.flat()),
      expected: { scores: own.score_samples, decisions: own.decision_function, labels: own.predict },
    }));
  });
}
