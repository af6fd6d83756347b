import { parseDurationMs } from '../lib/units.ts';
import { LEVELS } from '../model/event.ts';
import type { Store } from '../store/store.ts';

function only<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as never;
}

/** The body that the read API answers to `GET query`, from the store alone; throws on a query that it does not know. */
export async function apiAnswer(store: Store, query: string): Promise<unknown> {
  const url = new URL(query, 'http://helios.invalid');
  const text = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const time = (name: string): number => Date.parse(text(name) ?? '');
  const range = { fromMs: time('from'), toMs: time('to') };
  const service = text('service');
  const limit = Number(text('limit') ?? 100);
  const [, , , kind, id] = url.pathname.split('/');
  switch (kind) {
    case 'metrics': {
      const names = text('name')?.split(',') ?? [];
      const { stepMs, series } = await store.metrics(
        only({ ...range, service, names, stepMs: parseDurationMs(text('step') ?? '') }) as never,
      );
      return { step: stepMs, series };
    }
    case 'events': {
      const levels = (text('level')?.split(',') ?? []).map((level) => LEVELS.indexOf(level as 'ERROR'));
      return store.events(only({ ...range, service, levels, limit, text: text('text'), endpoint: text('endpoint') }) as never);
    }
    case 'templates':
      return { items: await store.templates(only({ ...range, service, limit }) as never), nextCursor: null };
    case 'changes':
      return store.list('change', only({ ...range, service, limit }) as never);
    case 'anomalies':
      return store.get('anomaly', decodeURIComponent(id ?? ''));
    case 'incidents':
      if (id === undefined) return store.list('incident', only({ ...range, service, status: text('status'), limit }) as never);
      return store.get('incident', decodeURIComponent(id ?? ''));
    default:
      throw new Error(`no such query: ${query}`);
  }
}
