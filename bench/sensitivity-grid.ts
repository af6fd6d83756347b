/** Main measure by set for each tried value of one constant. */
export interface ConstantGrid {
  /** FILE:CONSTANT. */
  constant: string;
  committed: number;
  measures: Map<number, ReadonlyMap<string, number>>;
}

const NUMBER = String.raw`-?[\d_]+(?:\.\d+)?(?:e-?\d+)?`;

/** `const NAME = 1.5`, also `NAME: 1.5` and `NAME = 1.5` of a default. */
const definition = (name: string): RegExp => new RegExp(String.raw`(\b${name}\s*[=:]\s*)(${NUMBER})(?=\s*[;,})])`, 'g');

/** Value of a constant in a source text. Throws unless it is defined as a plain number exactly once. */
export function constantIn(text: string, name: string): number {
  const found = Array.from(text.matchAll(definition(name)), (match) => match[2] as string);
  if (found.length !== 1) throw new Error(`cannot vary ${name}: it is defined as a number ${found.length} times`);
  return Number(found[0]?.replaceAll('_', ''));
}

export function withConstant(text: string, name: string, value: number): string {
  constantIn(text, name);
  return text.replace(definition(name), (_, before: string) => `${before}${value}`);
}

/** The value that is best on the mean over all sets but one; of equal ones the committed, then the one nearest to it. */
export function chosenWithout({ committed, measures }: ConstantGrid, left: string): number {
  const mean = (value: number): number => {
    const others = [...(measures.get(value) ?? [])].filter(([set]) => set !== left).map(([, figure]) => figure);
    return others.reduce((sum, figure) => sum + figure, 0) / others.length;
  };
  const values = [...measures.keys()].sort((a, b) => Math.abs(a - committed) - Math.abs(b - committed));
  return values.reduce((best, value) => (mean(value) > mean(best) ? value : best));
}

const shown = (value: number | undefined): string => (value === undefined || Number.isNaN(value) ? '-' : value.toFixed(3));

/** Markdown: one row for each set and constant, its main measure at each value, and what the choice on the other sets gives it. */
export function sensitivityTable(grids: readonly ConstantGrid[]): string {
  const rows = grids.flatMap((grid) => {
    const { constant, committed, measures } = grid;
    const values = [...measures.keys()].sort((a, b) => a - b);
    const name = constant.replace(/^.*\//, '').replace(':', ' ');
    return [...(measures.get(committed)?.keys() ?? [])].map((set) => {
      const figures = values.map((value) => {
        const cell = `${Number(value.toPrecision(4))}: ${shown(measures.get(value)?.get(set))}`;
        return value === committed ? `**${cell}**` : cell;
      });
      const chosen = chosenWithout(grid, set);
      const cost = (measures.get(chosen)?.get(set) ?? NaN) - (measures.get(committed)?.get(set) ?? NaN);
      const change = chosen === committed ? 'as committed' : `${cost >= 0 ? '+' : ''}${cost.toFixed(3)}`;
      return [
        name,
        set,
        figures.join(', '),
        String(Number(chosen.toPrecision(4))),
        shown(measures.get(chosen)?.get(set)),
        change,
      ];
    });
  });
  const head = ['constant', 'set left out', 'value: its main measure', 'chosen on the others', 'gives it', 'change'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
