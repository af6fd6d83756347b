import { addEvent, createSubWindow, type SubWindow } from '../detect/sub-window.ts';
import type { GridHistory } from '../detect/forest-grid.ts';
import type { EventBatch } from '../model/event-batch.ts';
import { histogramQuantile } from '../model/histogram.ts';

/** When some services were abnormal, milliseconds since the epoch. */
export interface LabelledSpan {
  fromMs: number;
  toMs: number;
  services: readonly string[];
}

interface ServiceWindows {
  /** By window number, oldest first. */
  open: Map<number, SubWindow>;
  rows: Float64Array[];
  starts: number[];
  lastCount: number;
}

/** Values of FEATURES, in their order, as the metrics API defines them. */
function featuresOf(window: SubWindow, countBefore: number, windowMs: number): Float64Array {
  const { count, errorCount, latencyCount, latencySum, latencySquareSum, histogram, endpoints } = window;
  const mean = latencySum / latencyCount;
  return Float64Array.of(
    count,
    errorCount / count,
    mean,
    histogramQuantile(histogram, latencyCount, 0.95),
    histogramQuantile(histogram, latencyCount, 0.99),
    latencyCount === 0 ? NaN : Math.sqrt(Math.max(0, latencySquareSum / latencyCount - mean * mean)),
    endpoints.size,
    (count - countBefore) / (windowMs / 1000),
  );
}

/** Gathers a stream of batches into windows by service, beside what labels say of each. Holds two open windows a service. */
export class LabelledWindows {
  readonly #windowMs: number;
  readonly #services = new Map<string, ServiceWindows>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(batch: EventBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const service = this.#serviceNamed(batch.names.entities.name(batch.entity[i] as number));
      const number = Math.floor((batch.timestamp[i] as number) / this.#windowMs);
      let window = service.open.get(number);
      if (!window) service.open.set(number, (window = createSubWindow(number)));
      addEvent(window, batch.level[i] as number, batch.latency[i] as number, batch.endpoint[i] as number, 1);
    }
  }

  /** Closes the windows that end before `beforeMs`. */
  close(beforeMs: number): void {
    for (const service of this.#services.values()) {
      for (const [number, window] of [...service.open].toSorted(([a], [b]) => a - b)) {
        if ((number + 1) * this.#windowMs > beforeMs) continue;
        service.rows.push(featuresOf(window, service.lastCount, this.#windowMs));
        service.starts.push(number * this.#windowMs);
        service.lastCount = window.count;
        service.open.delete(number);
      }
    }
  }

  /** The closed windows of every service; a window is abnormal when at least half of it lies in a span of its service. */
  histories(labels: readonly LabelledSpan[]): GridHistory[] {
    return [...this.#services].map(([name, { rows, starts }]) => {
      const own = labels.filter(({ services }) => services.includes(name));
      const overlapOf = (startMs: number, { fromMs, toMs }: LabelledSpan): number =>
        Math.min(toMs, startMs + this.#windowMs) - Math.max(fromMs, startMs);
      const truth = starts.map((startMs) => own.some((span) => overlapOf(startMs, span) >= this.#windowMs / 2));
      return { rows, truth };
    });
  }

  #serviceNamed(name: string): ServiceWindows {
    let service = this.#services.get(name);
    if (!service) {
      service = { open: new Map(), rows: [], starts: [], lastCount: 0 };
      this.#services.set(name, service);
    }
    return service;
  }
}
