/** Series of one entity by name; an index never changes its meaning. Plain data. */
export interface EntitySeries {
  names: string[];
  indexOf: Map<string, number>;
  /** Series refused because the entity has too many. */
  refused: number;
}

export function createEntitySeries(): EntitySeries {
  return { names: [], indexOf: new Map(), refused: 0 };
}

/** Index of a series, added when it is new; -1 beyond `limit` series. */
export function seriesIndex(series: EntitySeries, name: string, limit: number): number {
  const known = series.indexOf.get(name);
  if (known !== undefined) return known;
  if (series.names.length >= limit) {
    series.refused++;
    return -1;
  }
  const index = series.names.push(name) - 1;
  series.indexOf.set(name, index);
  return index;
}
