import type { Simulations, SimulationRequest } from '../console/dependencies.ts';
import type { Config } from '../config/config.ts';
import { overrideDetection } from '../config/overrides.ts';
import type { DetectConfig } from '../detect/config.ts';
import { isoTime, type Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { entityMatches } from '../model/entity.ts';
import type { Incident } from '../model/incident.ts';
import type { Simulation, SimulationResult, SimulationStatus } from '../model/simulation.ts';
import type { DocumentKind, Documents, Store } from '../store/store.ts';
import { FeedbackRecords } from '../report/feedback/feedback-records.ts';
import { ruleDecisions } from './feedback-replay.ts';
import { startSimulationThread, type SimulationThread } from './simulation-client.ts';
import type { Decision } from './simulation-replay.ts';

const MAX_KEPT = 20;
const MAX_QUEUED = 4;
const DAY_MS = 86_400_000;
const PAGE = 1000;

export interface SimulationServiceOptions {
  dir: string;
  config: Config;
  store: Store;
  /** Event time when the clock follows the data. */
  clock: Clock;
  wallClock: Clock;
  /** Next offsets after the last durable records of both logs. */
  committed: () => { eventOffset: number; pointOffset: number };
  onChange: (status: SimulationStatus) => void;
}

interface Job {
  simulation: Simulation;
  config: DetectConfig;
  fromMs: number;
  toMs: number;
  thread: SimulationThread | null;
}

/** A simulation without its result. */
function statusOf({ result: _, ...status }: Simulation): SimulationStatus {
  return status;
}

/** Commands that people gave about an incident, read off its history. */
function decisionsOf({ id, events = [] }: Incident): Decision[] {
  return events.flatMap(({ at, type, by }): Decision[] => {
    if (by === undefined) return [];
    const common = { incidentId: id, by, atMs: Date.parse(at) };
    const { atMs } = common;
    if (type === 'acknowledged') return [{ atMs, command: { type: 'acknowledge' as const, ...common } }];
    if (type === 'resolved') return [{ atMs, command: { type: 'resolve' as const, ...common } }];
    if (type !== 'new_normal_accepted' && type !== 'new_normal_rejected') return [];
    const decision = type === 'new_normal_accepted' ? ('accept' as const) : ('reject' as const);
    return [{ atMs, command: { type: 'new_normal' as const, decision, ...common } }];
  });
}

/** Simulations one at a time, each in a thread of its own; the newest are kept in memory. */
export class SimulationService implements Simulations, AsyncDisposable {
  readonly #options: SimulationServiceOptions;
  readonly #jobs: Job[] = [];
  readonly #prefix: string;
  #created = 0;
  #isClosed = false;
  #running: Job | null = null;

  constructor(options: SimulationServiceOptions) {
    this.#options = options;
    this.#prefix = options.wallClock.nowMs().toString(36);
  }

  create({ overrides, fromMs, toMs, service }: SimulationRequest): Simulation {
    const { config, clock, wallClock } = this.#options;
    if (this.#isClosed) throw new HeliosError('shutting_down', 'cannot simulate: the process is stopping');
    const overridden = overrideDetection(config.anomaly_detection, overrides);
    if (this.#jobs.filter(({ simulation }) => simulation.state === 'queued').length >= MAX_QUEUED) {
      throw new HeliosError('overloaded', `cannot simulate: ${MAX_QUEUED} simulations wait already`, {
        details: { retryAfterSeconds: 30 },
      });
    }
    const endMs = toMs ?? clock.nowMs() + 1;
    const simulation: Simulation = {
      id: `sim-${this.#prefix}-${++this.#created}`,
      state: 'queued',
      createdAt: isoTime(wallClock.nowMs()),
      startedAt: null,
      endedAt: null,
      overrides: overridden.overrides,
      present: overridden.present,
      service: service ?? null,
      from: fromMs === undefined ? null : isoTime(fromMs),
      to: isoTime(endMs),
      progress: 0,
      error: null,
      result: null,
    };
    this.#jobs.unshift({ simulation, config: overridden.config, fromMs: fromMs ?? -Infinity, toMs: endMs, thread: null });
    this.#forgetOld();
    this.#changed(simulation);
    this.#startNext();
    return { ...simulation };
  }

  get(id: string): Simulation | undefined {
    return this.#jobs.find(({ simulation }) => simulation.id === id)?.simulation;
  }

  list(): SimulationStatus[] {
    return this.#jobs.map(({ simulation }) => statusOf(simulation));
  }

  async cancel(id: string): Promise<Simulation | undefined> {
    const job = this.#jobs.find(({ simulation }) => simulation.id === id);
    if (!job) return undefined;
    const { state } = job.simulation;
    if (state !== 'queued' && state !== 'running') {
      if (state === 'cancelled') return job.simulation;
      throw new HeliosError('conflict', `cannot cancel simulation ${id}: it is ${state}`);
    }
    this.#end(job, { state: 'cancelled' });
    await job.thread?.stop();
    this.#release(job);
    return job.simulation;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const { simulation } of this.#jobs) {
      if (simulation.state === 'queued' || simulation.state === 'running') await this.cancel(simulation.id);
    }
  }

  #changed(simulation: Simulation): void {
    this.#options.onChange(statusOf(simulation));
  }

  #forgetOld(): void {
    for (let i = this.#jobs.length - 1; i >= 0 && this.#jobs.length > MAX_KEPT; i--) {
      const { state } = (this.#jobs[i] as Job).simulation;
      if (state !== 'queued' && state !== 'running') this.#jobs.splice(i, 1);
    }
  }

  #startNext(): void {
    if (this.#running || this.#isClosed) return;
    const job = this.#jobs.findLast(({ simulation }) => simulation.state === 'queued');
    if (!job) return;
    this.#running = job;
    Object.assign(job.simulation, { state: 'running', startedAt: isoTime(this.#options.wallClock.nowMs()) });
    this.#changed(job.simulation);
    void this.#run(job);
  }

  #release(job: Job): void {
    if (this.#running !== job) return;
    this.#running = null;
    this.#startNext();
  }

  async #run(job: Job): Promise<void> {
    try {
      const result = await this.#simulate(job);
      if (result) this.#end(job, { state: 'done', progress: 1, result });
    } catch (error) {
      const code = error instanceof HeliosError ? error.code : 'internal';
      this.#end(job, { state: 'failed', error: { code, message: (error as Error).message } });
    } finally {
      await job.thread?.stop();
      this.#release(job);
    }
  }

  /** Resolves to nothing when the job was cancelled before its thread began. */
  async #simulate(job: Job): Promise<SimulationResult | undefined> {
    const { dir, config, wallClock, committed } = this.#options;
    const { simulation, fromMs, toMs } = job;
    const [decisions, serviceDays] = [await this.#decisions(toMs), await this.#serviceDays(job)];
    if (simulation.state !== 'running') return undefined;
    const run = {
      present: config.anomaly_detection,
      overridden: job.config,
      clockMode: config.clock,
      decisions,
      fromMs,
      toMs,
      service: simulation.service,
      nowMs: wallClock.nowMs(),
      serviceDays,
    };
    job.thread = startSimulationThread({ dir, run, ...committed() }, (progress) => {
      simulation.progress = Math.min(1, progress);
      this.#changed(simulation);
    });
    return job.thread.result;
  }

  #end(job: Job, end: Partial<Simulation>): void {
    const { simulation } = job;
    if (simulation.state !== 'queued' && simulation.state !== 'running') return;
    Object.assign(simulation, end, { endedAt: isoTime(this.#options.wallClock.nowMs()) });
    this.#changed(simulation);
  }

  /** What people told the live detector: changes that were posted, their verdicts on incidents, and what need not call. */
  async #decisions(toMs: number): Promise<Decision[]> {
    const decisions: Decision[] = [];
    for await (const change of this.#all('change', toMs)) {
      if (change.source === 'api') decisions.push({ atMs: Date.parse(change.at), command: { type: 'change', change } });
    }
    for await (const incident of this.#all('incident', toMs)) decisions.push(...decisionsOf(incident));
    const feedback = await new FeedbackRecords(this.#options.store.records).list({ toMs });
    decisions.push(...ruleDecisions(feedback));
    return decisions.toSorted((a, b) => a.atMs - b.atMs);
  }

  async *#all<K extends DocumentKind>(kind: K, toMs: number): AsyncGenerator<Documents[K]> {
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page = await this.#options.store.list(kind, { toMs, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
      yield* page.items;
      cursor = page.nextCursor;
    }
  }

  async #serviceDays({ simulation: { service }, fromMs, toMs }: Job): Promise<number> {
    const range = { fromMs: Math.max(0, fromMs), toMs };
    let watchedMs = 0;
    for (const { service: id, firstSeen, lastSeen, eventCount } of await this.#options.store.services(range)) {
      if (eventCount === 0 || (service !== null && !entityMatches(id, service))) continue;
      watchedMs += Math.max(0, Math.min(toMs, Date.parse(lastSeen)) - Math.max(range.fromMs, Date.parse(firstSeen)));
    }
    return watchedMs / DAY_MS;
  }
}
