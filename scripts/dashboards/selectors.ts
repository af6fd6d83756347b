import { ERROR_CODES } from '../../src/lib/errors.ts';

/** The jobs of infrastructure/prometheus/prometheus.yml that are HELIOS. */
export const ROLE_JOBS = 'ingestion|storage|detection|reporting|console';

/** Codes of answers that are the server's fault. A replica that is being stopped is none: senders go on to another. */
export const SERVER_ERRORS = Object.entries(ERROR_CODES)
  .filter(([code, { status }]) => status >= 500 && code !== 'shutting_down')
  .map(([code]) => code)
  .join('|');

/** As wide as is right for the step of the panel. */
export const WINDOW = '[$__rate_interval]';

/** A quantile of a histogram of seconds over all its series, or one a label value. */
export function quantile(q: number, histogram: string, by = ''): string {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return `histogram_quantile(${q}, sum by (${labels}) (rate(${histogram}_bucket${WINDOW})))`;
}
