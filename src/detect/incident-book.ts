import { HeliosError } from '../lib/errors.ts';
import type {
  AlertEdge,
  AlertEvidence,
  ControlMessage,
  DecisionAnswer,
  FiledAlert,
  FiledDocuments,
  IncidentDecision,
} from '../model/alert.ts';
import { alertKey } from '../model/alert.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { Change, Incident } from '../model/incident.ts';
import { CallGraph, createCallGraphState } from './call-graph.ts';
import type { CauseEvidence } from './cause-ranking.ts';
import { decodeMovement, type CoMovement } from './co-movement.ts';
import type { DetectConfig } from './config.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { IncidentFiling } from './incident-filing.ts';
import { isOpen, type IncidentGroup } from './incident-grouping.ts';
import { createKinship } from './kinship.ts';
import { decodeState, encodeState } from './state-codec.ts';

/**
 * Incidents made of what the detectors of all partitions tell. Pure: what comes out depends on the messages and their order alone.
 * Whoever holds it hands over what all partitions are past, so that the order is that of event time and not of arrival.
 */
export interface IncidentBook {
  /**
   * Takes messages in the order of `atMs` and `alertKey`, whatever theirs is. One that is older than what is known of its anomaly, or a
   * repeat, changes nothing; other late ones are taken as they come.
   */
  apply(messages: readonly FiledAlert[]): FiledDocuments;
  command(decision: IncidentDecision): DecisionAnswer;
  /** Event time at which something that a rule holds back calls; Infinity when nothing is. */
  wakesAtMs(): number;
  /** Lets event time come to `nowMs` where no message says so. */
  wake(nowMs: number): FiledDocuments;
  /** Calls that are known of without a message; as they are not in order with the rest, they take effect whenever they come. */
  learnEdges(edges: readonly AlertEdge[]): void;
  openIncidents(): number;
  snapshot(): Uint8Array;
  /** Throws `corrupt_data` when the bytes are no snapshot. */
  restore(payload: Uint8Array): void;
}

/** The newest form of a firing anomaly, and when it came. */
interface FiringAnomaly {
  anomaly: Anomaly;
  atMs: number;
}

interface ServiceEvidence {
  rows: AlertEvidence[];
  atMs: number;
}

/** Plain data. */
interface BookState {
  version: number;
  desk: IncidentDesk;
  firing: Map<string, FiringAnomaly>;
  /** When anomalies that are over ended. */
  ended: Map<string, number>;
  movements: Map<string, CoMovement>;
  evidence: Map<string, ServiceEvidence>;
  names: string[];
  edges: Map<number, number>;
}

const SNAPSHOT_VERSION = 1;
/** At each cap the oldest goes. */
const MAX_FIRING = 5000;
const MAX_ENDED = 1000;
const MAX_MOVEMENTS = 256;
const MAX_EVIDENCE = 512;
/** Incidents that are over are kept for decisions, and for what comes back. */
const KEEP_CLOSED_MS = 3_600_000;
/** How far back causes are looked for, and services that are looked at for one incident, more or less. */
const CAUSE_REACH_MS = 600_000;
const MAX_SUSPECTS = 64;
const MAX_NAMED = 8;

export function createIncidentBook(config: Pick<DetectConfig, 'incident_gap'>): IncidentBook {
  return new Book(config.incident_gap);
}

/** Sets a key as the newest of a map, which never holds more than `limit`. */
function keep<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
  map.delete(key);
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > limit && !oldest.done) map.delete(oldest.value);
}

function inOrder(a: FiledAlert, b: FiledAlert): number {
  if (a.atMs !== b.atMs) return a.atMs - b.atMs;
  const [keyA, keyB] = [alertKey(a), alertKey(b)];
  return keyA < keyB ? -1 : keyA > keyB ? 1 : 0;
}

/** What a decision on an incident is to the detectors: what a person says of it is none of theirs. */
function controlOf(decision: Extract<IncidentDecision, { incidentId: string }>, incident: Incident): ControlMessage[] {
  const { type, by, atMs } = decision;
  if (type === 'label') return [];
  return [type === 'new_normal' ? { type, incident, decision: decision.decision, by, atMs } : { type, incident, by, atMs }];
}

class Book implements IncidentBook {
  readonly #graph = new CallGraph();
  readonly #filing: IncidentFiling;
  readonly #gapMs: number;
  #firing = new Map<string, FiringAnomaly>();
  #ended = new Map<string, number>();
  #movements = new Map<string, CoMovement>();
  #evidence = new Map<string, ServiceEvidence>();

  constructor(gapMs: number) {
    this.#gapMs = gapMs;
    const kinship = createKinship(this.#graph, (service) => this.#movements.get(service));
    this.#filing = new IncidentFiling({ kinship, gapMs, onMoved: (incidentOf) => this.#move(incidentOf) });
  }

  apply(messages: readonly FiledAlert[]): FiledDocuments {
    const changes: Change[] = [];
    for (const [atMs, together] of Map.groupBy(messages.toSorted(inOrder), (message) => message.atMs)) {
      this.#filing.wake(atMs);
      for (const message of together) {
        if (message.type === 'edges') this.learnEdges(message.edges);
        else if (message.type === 'anomaly') this.#take(message);
        else {
          changes.push(message.change);
          this.#filing.recordChange(message.change, atMs);
        }
      }
      this.#filing.findCauses((group, untilMs) => this.#findCauses(group, untilMs), atMs);
      this.#forgetClosed(atMs);
    }
    return { ...this.#filing.drain(), changes };
  }

  command(decision: IncidentDecision): DecisionAnswer {
    if (decision.type === 'change') {
      const [incident] = this.#filing.recordChange(decision.change, Date.parse(decision.change.at));
      return { ...this.#filing.drain(), changes: [decision.change], incident, control: [decision] };
    }
    if (decision.type === 'quiet_rules') {
      this.#filing.setRules(decision, decision.atMs);
      return { ...this.#filing.drain(), changes: [], incident: undefined, control: [] };
    }
    const { incidentId } = decision;
    const isKnown = this.#filing.desk.groups.some(({ incident }) => incident.id === incidentId);
    if (!isKnown) return { refusal: 'not_found' };
    const incident = this.#filing.judge(decision);
    if (!incident) return { refusal: 'conflict' };
    return { ...this.#filing.drain(), changes: [], incident, control: controlOf(decision, incident) };
  }

  wakesAtMs(): number {
    return this.#filing.wakesAtMs;
  }

  wake(nowMs: number): FiledDocuments {
    this.#filing.wake(nowMs);
    return { ...this.#filing.drain(), changes: [] };
  }

  learnEdges(edges: readonly AlertEdge[]): void {
    this.#graph.learn(edges);
  }

  openIncidents(): number {
    return this.#filing.openGroups.length;
  }

  snapshot(): Uint8Array {
    const { names, edges } = this.#graph.state;
    const state: BookState = {
      version: SNAPSHOT_VERSION,
      desk: this.#filing.desk,
      firing: this.#firing,
      ended: this.#ended,
      movements: this.#movements,
      evidence: this.#evidence,
      names,
      edges,
    };
    return encodeState(state);
  }

  restore(payload: Uint8Array): void {
    const state = decodeState(payload) as BookState;
    if (state.version !== SNAPSHOT_VERSION) {
      throw new HeliosError('corrupt_data', `cannot restore the incidents: version ${state.version} of their state is unknown`);
    }
    this.#filing.desk = state.desk;
    this.#filing.forget();
    this.#firing = state.firing;
    this.#ended = state.ended;
    this.#movements = state.movements;
    this.#evidence = state.evidence;
    this.#graph.state = { ...createCallGraphState(), names: state.names, edges: state.edges };
  }

  #take({ anomaly, atMs, evidence, movement }: Extract<FiledAlert, { type: 'anomaly' }>): void {
    const { id, service, state } = anomaly;
    const known = this.#firing.get(id);
    const knownMs = known?.atMs ?? this.#ended.get(id) ?? -Infinity;
    // An anomaly may begin and end at once; an end is never taken back.
    const isNews = atMs > knownMs || (atMs === knownMs && known !== undefined && state === 'resolved');
    if (!isNews || this.#ended.has(id)) return;
    const moved = movement === undefined ? undefined : decodeMovement(movement);
    if (moved) keep(this.#movements, service, moved, MAX_MOVEMENTS);
    const byService = Map.groupBy(evidence, (row) => row.service);
    for (const [of, rows] of byService) keep(this.#evidence, of, { rows, atMs }, MAX_EVIDENCE);
    if (state === 'firing') keep(this.#firing, id, { anomaly, atMs }, MAX_FIRING);
    const incidentId = this.#filing.file(anomaly, atMs);
    if (state === 'firing') this.#firing.set(id, { anomaly: { ...anomaly, incidentId }, atMs });
    else {
      this.#firing.delete(id);
      keep(this.#ended, id, atMs, MAX_ENDED);
    }
  }

  #move(incidentOf: ReadonlyMap<string, string>): void {
    for (const [id, incidentId] of incidentOf) {
      const firing = this.#firing.get(id);
      if (!firing) continue;
      firing.anomaly = { ...firing.anomaly, incidentId };
      this.#filing.note(firing.anomaly);
    }
  }

  /** Undefined when it is too late to look. */
  #findCauses({ firstStartMs, found, members }: IncidentGroup, untilMs: number): CauseEvidence[] | undefined {
    if (this.#evidence.size === 0 || (found && untilMs - firstStartMs > CAUSE_REACH_MS)) return undefined;
    const services = new Set(members.map(({ service }) => service));
    // A set's iteration goes on to what is added meanwhile: callees of callees too.
    for (const service of services) {
      if (services.size < MAX_SUSPECTS) for (const callee of this.#graph.calleesOf(service)) services.add(callee);
    }
    const rows = [...services].flatMap((service) => {
      const evidence = this.#evidence.get(service);
      return evidence && evidence.atMs >= firstStartMs && evidence.atMs <= untilMs ? evidence.rows : [];
    });
    return rows.toSorted((a, b) => b.points - a.points || (a.service < b.service ? -1 : 1)).slice(0, MAX_NAMED);
  }

  /** Incidents that nothing can come back to. */
  #forgetClosed(nowMs: number): void {
    const { desk } = this.#filing;
    const isNeeded = (group: IncidentGroup): boolean =>
      isOpen(group) ||
      nowMs - Date.parse(group.incident.updatedAt) <= Math.max(KEEP_CLOSED_MS, this.#gapMs) ||
      group.members.some(({ id }) => desk.incidentOf.get(id) === group.incident.id);
    if (!desk.groups.every(isNeeded)) desk.groups = desk.groups.filter(isNeeded);
  }
}
