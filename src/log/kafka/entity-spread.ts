import { entityMatches } from '../../model/entity.ts';
import type { KafkaConfig } from './config.ts';
import { partitionOfEntity } from './partition-of.ts';

/**
 * Which partitions an entity's events are in: its home, by its hash, and for a hot service the ones that follow. Whoever produces and
 * whoever reads has to know the same number of partitions; readers find home also without knowing which services are hot.
 */
export class EntitySpread {
  readonly partitions: number;
  readonly #hot: KafkaConfig['hot_services'];

  constructor(partitions: number, hot: KafkaConfig['hot_services']) {
    this.partitions = partitions;
    this.#hot = hot;
  }

  /** The partition whose detector judges the entity. */
  homeOf(entity: string): number {
    return partitionOfEntity(entity, this.partitions);
  }

  /** How many partitions the entity is spread over; 1 when it is not. */
  widthOf(entity: string): number {
    const found = this.#hot.find(({ service }) => entityMatches(entity, service));
    return Math.min(this.partitions, found?.partitions ?? 1);
  }

  /** The partitions beside its home. */
  othersOf(entity: string): number[] {
    return this.#after(this.homeOf(entity), this.widthOf(entity) - 1);
  }

  /** Homes of which a hot service may have events in `partition`, whatever its environment. */
  homesBefore(partition: number): number[] {
    const widest = Math.min(this.partitions, Math.max(1, ...this.#hot.map(({ partitions }) => partitions)));
    return this.#after(partition - widest, widest - 1);
  }

  #after(partition: number, count: number): number[] {
    const { partitions } = this;
    return Array.from({ length: count }, (_, i) => (partition + partitions + 1 + i) % partitions);
  }
}
