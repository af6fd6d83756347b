import type { Control } from '../console/dependencies.ts';
import type { DetectorCommand } from '../detect/detector.ts';
import { labelled } from '../detect/incident-label.ts';
import { isoTime, type Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import {
  LISTED_LABELS,
  type Feedback,
  type FeedbackAnswer,
  type FeedbackPreview,
  type FeedbackQuality,
  type FeedbackQuery,
  type FeedbackRequest,
  type FeedbackService,
  type IncidentFeedback,
  type MissedRequest,
  type QuietRule,
} from '../model/feedback.ts';
import type { Incident } from '../model/incident.ts';
import { FeedbackRecords } from '../report/feedback/feedback-records.ts';
import { feedbackGiven, feedbackIncidents, feedbackQuality, feedbackRules } from '../report/feedback/metrics.ts';
import { qualityOf } from '../report/feedback/quality.ts';
import type { Store } from '../store/store.ts';
import { previewRule } from './feedback-preview.ts';
import { checkRequest, ruleOf } from './feedback-rule.ts';

/** What others have changed is measured again this often, and rules that could not be told are told again. */
const REFRESH_MS = 60_000;
const MAX_RULES = 500;

export interface FeedbackOptions {
  store: Store;
  /** As of createControl. */
  command: (command: DetectorCommand) => Promise<Incident | undefined>;
  control: Pick<Control, 'decideNewNormal'>;
  /** Event time when the clock follows the data. */
  clock: Clock;
  wallClock: Clock;
  /** anomaly_detection.incident_gap. */
  gapMs: number;
  /** report.feedback.preview_window. */
  previewWindowMs: number;
  metrics: Metrics;
  logger: Logger;
}

const isActive = ({ takenBack }: Feedback): boolean => takenBack === null;
const isOf = ({ id }: QuietRule, incidentId: string): boolean => id.startsWith(`${incidentId}.`);

/** Whether this was said before by the same person; what is narrowed is always news. */
function isRepeat(known: Feedback, { label, by, cause, note, scope }: FeedbackRequest, rule: QuietRule | null): boolean {
  if (!isActive(known) || scope || known.label !== label || known.by !== by) return false;
  return (
    known.cause === (cause ?? null) && (note === undefined || known.note === note) && (known.rule === null) === (rule === null)
  );
}

function onIncident({ id, label, cause, effect, by, at }: Feedback): IncidentFeedback {
  return { id, label: label as IncidentFeedback['label'], cause, effect, by, at };
}

/** Feedback over the store's records; what follows from it goes to the desk as commands, all rules at once under the revision of their record. */
class StoredFeedback implements FeedbackService, AsyncDisposable {
  readonly #options: FeedbackOptions;
  readonly #records: FeedbackRecords;
  readonly #stop: () => void;
  /** The desk may not have the newest rules. */
  #isBehind = true;
  #refreshing: Promise<void>;
  /** Measures that had a value once: one that has none any more is not a number. */
  readonly #known = new Set<string>();

  constructor(options: FeedbackOptions) {
    this.#options = options;
    this.#records = new FeedbackRecords(options.store.records);
    this.#refreshing = this.#refresh();
    this.#stop = options.wallClock.every(REFRESH_MS, () => {
      this.#refreshing = this.#refreshing.then(() => this.#refresh());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#refreshing;
  }

  async preview(incidentId: string, request: FeedbackRequest): Promise<FeedbackAnswer | undefined> {
    const incident = await this.#find(incidentId, request);
    if (!incident) return undefined;
    const rule = await ruleOf(this.#options.store, incident, request, this.#options.clock.nowMs());
    return { feedback: null, preview: rule && (await this.#previewOf(incidentId, rule)) };
  }

  async label(incidentId: string, request: FeedbackRequest): Promise<FeedbackAnswer | undefined> {
    const { store, clock, control, metrics } = this.#options;
    const incident = await this.#find(incidentId, request);
    if (!incident) return undefined;
    const rule = await ruleOf(store, incident, request, clock.nowMs());
    const known = (await this.#records.of(incidentId)).find((feedback) => isRepeat(feedback, request, rule));
    const preview = rule && !known ? await this.#previewOf(incidentId, rule) : null;
    if (preview && preview.confirmedHidden.length > 0 && request.force !== true) throw hidesConfirmed(incidentId, preview);
    if (request.label === 'new_normal' && incident.newNormal?.state !== 'accepted') {
      await control.decideNewNormal(incidentId, 'accept', request.by);
    }
    const feedback = known ?? (await this.#keep(incident, request, rule && { rule, effect: preview?.sentence ?? '' }));
    // A repeat may come because the first one failed on its way here.
    await this.#tellRules();
    await this.#tellIncident(incident, onIncident(feedback), request.by);
    if (!known) metrics.add(feedbackGiven, 1, { label: request.label });
    await this.#measure();
    return { feedback, preview };
  }

  async missed({ service, fromMs, toMs, by, note }: MissedRequest): Promise<Feedback> {
    const atMs = this.#options.clock.nowMs();
    const what = { services: [service], from: isoTime(fromMs), to: isoTime(toMs), by, at: isoTime(atMs), note: note ?? null };
    const feedback = await this.#records.addMissed(Math.max(1, Math.floor(atMs)), (id) => {
      return { id, label: 'missed', incidentId: null, ...what, cause: null, rule: null, effect: null, takenBack: null };
    });
    this.#options.metrics.add(feedbackGiven, 1, { label: 'missed' });
    await this.#measure();
    return feedback;
  }

  async takeBack(id: string, by: string): Promise<Feedback | undefined> {
    const known = await this.#records.get(id);
    if (!known) return undefined;
    if (known.label === 'new_normal') {
      throw new HeliosError('conflict', `cannot take back ${id}: the new level is learned, and calls again when it is left`);
    }
    const at = isoTime(this.#options.clock.nowMs());
    const taken = (feedback: Feedback): Feedback =>
      isActive(feedback) ? { ...feedback, takenBack: { by, at, reason: 'person' } } : feedback;
    const { incidentId } = known;
    if (incidentId === null) {
      const changed = await this.#records.change(id, taken);
      await this.#measure();
      return changed;
    }
    const changed = await this.#records.update(incidentId, ({ said, rules }) => {
      const next = taken(said.find((feedback) => feedback.id === id) ?? known);
      return { changed: [next], rules: rules.filter((rule) => rule.id !== id), answer: next };
    });
    await this.#tellRules();
    const incident = await this.#options.store.get('incident', incidentId);
    if (incident?.feedback?.id === id) await this.#tellIncident(incident, null, by);
    await this.#measure();
    return changed;
  }

  list(query: FeedbackQuery): Promise<Feedback[]> {
    return this.#records.list(query);
  }

  async quality(): Promise<FeedbackQuality> {
    return qualityOf(await this.#records.list({}));
  }

  /** Undefined when there is no such incident; throws when the request makes no sense of it. */
  async #find(incidentId: string, request: FeedbackRequest): Promise<Incident | undefined> {
    checkRequest(request);
    const incident = await this.#options.store.get('incident', incidentId);
    const refuse = (why: string): HeliosError =>
      new HeliosError('conflict', `cannot label incident ${incidentId} ${request.label}: ${why}`);
    if (incident?.mergedInto) throw refuse(`it is part of incident ${incident.mergedInto}`);
    if (incident && request.label === 'new_normal' && !incident.newNormal) throw refuse('it proposes no new normal');
    return incident;
  }

  async #previewOf(incidentId: string, rule: QuietRule): Promise<FeedbackPreview> {
    const { store, clock, wallClock, gapMs, previewWindowMs } = this.#options;
    const { rules } = await this.#records.rules();
    const said = await this.#records.list({});
    const isConfirmed = ({ label }: Feedback): boolean => label === 'real' || label === 'wrong_cause';
    return previewRule(rule, {
      store,
      // What was said of this incident before will hold no longer.
      rules: rules.filter((other) => !isOf(other, incidentId)),
      confirmed: said.filter((other) => isActive(other) && isConfirmed(other) && other.incidentId !== incidentId),
      gapMs,
      windowMs: previewWindowMs,
      nowMs: clock.nowMs(),
      pause: () => wallClock.sleep(0),
    });
  }

  /** Keeps it in the place of what was said of the incident before, with its rule. */
  #keep(incident: Incident, request: FeedbackRequest, made: { rule: QuietRule; effect: string } | null): Promise<Feedback> {
    const { label, by, note, cause } = request;
    const { id: incidentId, services, startedAt, resolvedAt } = incident;
    const at = isoTime(this.#options.clock.nowMs());
    return this.#records.update(incidentId, ({ said, rules, nextId: id }) => {
      const feedback: Feedback = {
        id,
        label,
        incidentId,
        services,
        from: startedAt,
        to: resolvedAt,
        by,
        at,
        note: note ?? null,
        cause: cause ?? null,
        rule: made && { ...made.rule, id },
        effect: made && made.effect,
        takenBack: null,
      };
      const before = said.filter(isActive).map((old): Feedback => ({ ...old, takenBack: { by, at, reason: 'relabelled' } }));
      const others = rules.filter((other) => !isOf(other, incidentId));
      if (feedback.rule && others.length >= MAX_RULES) {
        throw new HeliosError('conflict', `cannot make a rule: there are ${MAX_RULES} already; take back what no longer holds`);
      }
      const next = feedback.rule ? [...others, feedback.rule] : others;
      const isChanged = next.length !== rules.length || feedback.rule !== null;
      return { changed: [...before, feedback], ...(isChanged ? { rules: next } : {}), answer: feedback };
    });
  }

  async #tellRules(): Promise<void> {
    const { command, clock } = this.#options;
    this.#isBehind = true;
    const rules = await this.#records.rules();
    if (rules.revision > 0) await command({ type: 'quiet_rules', ...rules, atMs: clock.nowMs() });
    this.#isBehind = false;
  }

  /** An incident that the desk has let go of is changed where it is stored. */
  async #tellIncident(incident: Incident, feedback: IncidentFeedback | null, by: string): Promise<void> {
    const { store, command, clock } = this.#options;
    const told = { type: 'label' as const, incidentId: incident.id, feedback, by, atMs: clock.nowMs() };
    if (!(await command(told))) await store.put('incident', labelled(incident, told));
  }

  async #measure(): Promise<void> {
    const { metrics } = this.#options;
    const { labels, precision, recall } = await this.quality();
    for (const label of LISTED_LABELS) metrics.set(feedbackIncidents, labels[label], { label });
    for (const [measure, ratio] of Object.entries({ precision, recall })) {
      if (ratio !== null) this.#known.add(measure);
      if (this.#known.has(measure)) metrics.set(feedbackQuality, ratio ?? NaN, { measure });
    }
    metrics.set(feedbackRules, (await this.#records.rules()).rules.length);
  }

  async #refresh(): Promise<void> {
    try {
      if (this.#isBehind) await this.#tellRules();
      await this.#measure();
    } catch (error) {
      this.#options.logger.warn('cannot refresh what people said of incidents, will be tried again', { error: String(error) });
    }
  }
}

function hidesConfirmed(incidentId: string, { confirmedHidden, sentence }: FeedbackPreview): HeliosError {
  const why = `it would hide ${confirmedHidden.join(', ')}, which a person called real (${sentence})`;
  const remedy = 'force it, narrow its scope, or keep the label alone with apply: false';
  return new HeliosError('conflict', `cannot make a rule of incident ${incidentId}: ${why}; ${remedy}`, {
    details: { confirmedHidden },
  });
}

/** Opens feedback; the rules in force are told to the desk in the background, also after its state was lost. */
export function openFeedback(options: FeedbackOptions): FeedbackService & AsyncDisposable {
  return new StoredFeedback(options);
}
