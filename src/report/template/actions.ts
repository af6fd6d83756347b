import type { AnomalyFacts } from '../evidence-anomalies.ts';
import type { ChangeFacts } from '../evidence-changes.ts';
import type { TemplateFacts } from '../evidence-templates.ts';
import { metricsPath } from '../query.ts';
import { HINT_MS } from '../verdict.ts';
import { changeLead, changeName } from './changes.ts';
import { signalWords } from './deviation.ts';
import { code } from './markdown.ts';
import { duration, featureWords, featureValue, milliseconds, number } from './wording.ts';
import { get, timeOf } from './writing.ts';
import type { Writing } from './writing.ts';

/** Written when it is placed, so that evidence is numbered in the order in which a reader meets it. */
export type Action = () => string;
export interface Actions {
  immediate: Action[];
  shortTerm: Action[];
  longTerm: Action[];
}

/** Undoes a change: a version by its predecessor, anything else by what it was. */
function undo(writing: Writing, facts: ChangeFacts): Action {
  const { service, type, version, previousVersion, source } = facts.change;
  return () => {
    const refs = writing.evidence.ref(facts.at, facts.version);
    const when = `${changeLead(facts)}, at ${timeOf(writing, facts.at)}${refs}`;
    if (version !== null && type === 'deployment') {
      const target = previousVersion === null ? 'the version before it' : code(previousVersion, 60);
      const seen = source === 'api' ? 'was deployed' : 'was first seen';
      return `Roll back ${code(service)} from ${code(version, 60)} to ${target}. It ${seen} ${when}.`;
    }
    if (type === 'rollback') return `Check the ${changeName(facts)}: it came ${when}. Roll forward if it brought the fault.`;
    return `Undo the ${changeName(facts)}, or check that it is harmless: it came ${when}.`;
  };
}

function recoveringChange({ facts }: Writing): ChangeFacts | undefined {
  return facts.changes.find(({ change, leadMs }) => change.type === 'rollback' && leadMs < 0 && change.service === facts.lead);
}

function readTemplate(writing: Writing, facts: TemplateFacts): Action {
  const { service, template, change, count, event, search } = facts;
  const kind = change === 'new' ? 'new error message' : 'error message that rose';
  return () =>
    `Read the ${kind} of ${code(service)}, ${code(template, 120)}${writing.evidence.ref(count, event)}: ${get(search)}`;
}

/** What to do about the kind of deviation, each with the numbers that call for it. */
function bySignal(writing: Writing, main: AnomalyFacts): Action[] {
  const { facts, evidence } = writing;
  const name = code(facts.lead);
  const { signal, attribution } = main.anomaly;
  const hit = facts.impact[0];
  if (signal === 'silence') {
    return [
      () => {
        const last = hit?.lastEvent;
        const since = last ? ` Its last event is from ${timeOf(writing, last)}${evidence.ref(last)}.` : '';
        return `Check that the process of ${name} runs and can reach HELIOS: crash, deployment, network, or its event exporter.${since}`;
      },
    ];
  }
  if (signal !== 'traffic') return [];
  const count = main.features.find(({ attribution: { feature } }) => feature === 'event_count') ?? main.features[0];
  if (!count || !attribution[0]) return [];
  const { observed, expected } = count;
  const numbers = (): string => {
    const { feature } = count.attribution;
    const values = `${featureValue(feature, observed.value)} where ${featureValue(feature, expected.value)} were expected`;
    return `${values}${evidence.ref(observed, expected)}`;
  };
  if (attribution[0].direction === 'up') return [() => `Scale ${name} out or limit its callers: ${numbers()}.`];
  return [() => `Check what sends traffic to ${name} (callers, load balancer, DNS): ${numbers()}.`];
}

/** Services that deviated before the lead, or with it when no change explains the lead: one of them may be the origin. */
function earlierServices(writing: Writing): Action[] {
  const { services, lead } = writing.facts;
  const slackMs = writing.judgement.trigger ? 1 : 0;
  const own = services.find(({ service }) => service === lead);
  return services
    .filter(({ service, onsetMs }) => own && service !== lead && onsetMs + slackMs <= own.onsetMs)
    .slice(0, 2)
    .map(({ service, onsetMs, anomalies }) => () => {
      const gap = (own?.onsetMs ?? onsetMs) - onsetMs;
      const when = gap === 0 ? 'at the same time' : `${duration(gap)} earlier`;
      const refs = writing.evidence.ref(anomalies[0]?.startedAt);
      return `Check ${code(service)}: it deviated ${when}${refs}, so ${code(lead)} may only suffer from it.`;
    });
}

function watch({ facts }: Writing): Action[] {
  const { main, period, lead } = facts;
  const feature = main?.anomaly.attribution[0]?.feature ?? 'error_rate';
  const query = { service: lead, names: [feature], fromMs: period.onsetMs, toMs: period.endMs + 3_600_000, stepMs: 60_000 };
  const aim = period.ongoing ? 'Watch whether it ends' : 'Make sure that it stays over';
  return [() => `${aim}: ${get(metricsPath(query))}`];
}

function immediate(writing: Writing): Action[] {
  const { facts } = writing;
  const { main, nearest, period, templates } = facts;
  const fresh = templates.filter(({ change, service }) => change !== 'vanished' && service === facts.lead);
  const undone = recoveringChange(writing);
  const suspect = nearest && nearest.leadMs <= HINT_MS && !undone ? nearest : undefined;
  if (!period.ongoing) return watch(writing);
  return [
    ...(undone ? [() => `Wait for the ${changeName(undone)} to take effect${writing.evidence.ref(undone.at)}.`] : []),
    ...(suspect ? [undo(writing, suspect)] : []),
    ...(main ? bySignal(writing, main) : []),
    ...earlierServices(writing),
    ...fresh.slice(0, 1).map((template) => readTemplate(writing, template)),
    ...watch(writing),
  ];
}

function shortTerm(writing: Writing): Action[] {
  const { facts, evidence } = writing;
  const { templates, impact, history, period, nearest, main } = facts;
  const fresh = templates.filter(({ change, service }) => change !== 'vanished' && service === facts.lead);
  const unread = (period.ongoing ? fresh.slice(1) : fresh).slice(0, 3);
  const actions: Action[] = unread.map((template) => readTemplate(writing, template));
  if (nearest && nearest.leadMs <= HINT_MS && !period.ongoing && nearest.change.type !== 'rollback') {
    actions.push(() => {
      const how = nearest.change.version === null ? 'before it is made again' : 'before that version is deployed again';
      return `Find what the ${changeName(nearest)} did, ${how}${evidence.ref(nearest.at, nearest.version)}.`;
    });
  }
  const sample = impact[0]?.sample;
  const top = sample?.endpoints[0];
  if (top) {
    const share = `${number(top.count.value)} of the ${number(sample.events.value)} failing events looked at`;
    const slow = top.slowest ? `, which took ${milliseconds(top.slowest.value)}` : '';
    const what = sample.kind === 'failing' ? 'failing' : 'slow';
    actions.push(() => {
      const refs = evidence.ref(top.name, ...(top.slowest ? [top.slowest] : [top.count, sample.events]));
      return `Trace a ${what} call of ${code(String(top.name.value), 120)}${sample.kind === 'failing' ? `, which has ${share}` : slow}${refs}.`;
    });
  }
  const past = history.listed[0];
  if (past) {
    const query = `/api/v1/incidents/${encodeURIComponent(past.incident.id)}/report`;
    actions.push(() => {
      const when = `${timeOf(writing, past.startedAt)}${evidence.ref(past.startedAt)}`;
      return `Read how the incident of ${when} ended, it was of the same kind: ${get(query)}`;
    });
  }
  if (actions.length === 0 && main && main.anomaly.attribution.length > 0) {
    const first = main.anomaly.attribution[0];
    const query = {
      service: facts.lead,
      names: first ? [first.feature] : [],
      fromMs: period.before.fromMs,
      toMs: period.endMs,
      stepMs: 60_000,
    };
    actions.push(() => `Look at the course of it, from before the onset: ${get(metricsPath(query))}`);
  }
  return actions;
}

function longTerm(writing: Writing): Action[] {
  const { facts, judgement, evidence } = writing;
  const { main, history, changes, lead } = facts;
  const name = code(lead);
  const actions: Action[] = [];
  const { trigger } = judgement;
  const feature = main?.features[0];
  if (trigger && main && feature && trigger.change.type !== 'rollback') {
    actions.push(() => {
      const afterMs = Date.parse(main.anomaly.detectedAt) - Date.parse(trigger.change.at);
      const { attribution, bound, expected } = feature;
      const side = attribution.direction === 'up' ? 'rises above' : 'falls below';
      const limit = `${featureWords(attribution.feature)} ${side} ${featureValue(attribution.feature, (bound ?? expected).value)}`;
      const seen = `This was seen ${duration(afterMs)} after the change${evidence.ref(trigger.at, main.detectedAt, bound ?? expected)}.`;
      return `Let a rollout of ${name} stop by itself: halt it when the ${limit}. ${seen}`;
    });
  }
  const { count } = history;
  if (count) {
    actions.push(() => {
      const often = count.value === 1 ? 'once' : `${number(count.value)} times`;
      const what = main ? signalWords(main) : 'affected';
      return `Fix what recurs: ${name} was ${what} ${often} in the 30 days before as well${evidence.ref(count)}.`;
    });
  }
  if (main?.anomaly.signal === 'traffic' && feature?.attribution.direction === 'up') {
    actions.push(() => {
      const { attribution, observed } = feature;
      const peak = `${featureValue(attribution.feature, observed.value)}${evidence.ref(observed)}`;
      return `Give ${name} a limit or room for this load: it reached ${peak}.`;
    });
  }
  if (changes.length === 0 && main?.anomaly.stage !== 'warming_up') {
    actions.push(
      () =>
        'Record deployments with `POST /api/v1/changes`, or send `service.version`: no change is recorded, so none could be tied to this.',
    );
  }
  if (main?.anomaly.stage === 'warming_up') {
    actions.push(() => `Keep ${name} reporting to HELIOS, so that it learns what is normal${evidence.ref(main.stage)}.`);
  }
  return actions;
}

/** Recommendations, each derived from evidence and naming what it concerns; a list may be empty. */
export function actionsFor(writing: Writing): Actions {
  return { immediate: immediate(writing), shortTerm: shortTerm(writing), longTerm: longTerm(writing) };
}
