type Ranking = ReadonlyMap<string, number>;

/**
 * One ranking of services from two: spans say where time went and what failed, so they decide, and metrics order what spans leave
 * tied or know nothing of. Larger is likelier; scores are places.
 */
export function joinRankings(byTraces: Ranking, byMetrics: Ranking): Map<string, number> {
  const of = (ranking: Ranking, name: string): number => ranking.get(name) ?? -Infinity;
  const difference = (a: number, b: number): number => (a === b ? 0 : b - a);
  const compare = (a: string, b: string): number =>
    difference(of(byTraces, a), of(byTraces, b)) || difference(of(byMetrics, a), of(byMetrics, b));
  const names = [...new Set([...byTraces.keys(), ...byMetrics.keys()])].sort(compare);
  const joined = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const before = names[i - 1];
    joined.set(name, before !== undefined && compare(before, name) === 0 ? (joined.get(before) as number) : -i);
  }
  return joined;
}
