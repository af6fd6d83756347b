import { z } from 'zod';
import { duration, finiteDuration } from '../../lib/config-types.ts';
import { matchesGlob } from '../../lib/glob.ts';
import { nearestName } from '../../lib/nearest.ts';
import { isTimeZone } from '../../lib/zoned-time.ts';
import { SEVERITIES, SIGNALS } from '../../model/incident-labels.ts';
import { receiverConfigSchema } from './receiver-config.ts';
import { LONGEST_WINDOW_DAYS, minuteOfDay, WEEKDAYS } from './weekly-window.ts';

const DAY_MS = 86_400_000;
const GLOB = 'a glob (`*`, `?`) or a list of them';

function patterns(known?: readonly string[]) {
  const globs = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], { error: `must be ${GLOB}` });
  const strangers = (value: string | string[]): string[] =>
    [value].flat().filter((glob) => known && !known.some((name) => matchesGlob(glob, name)));
  return globs
    .refine((value) => strangers(value).length === 0, {
      error: ({ input }) => `"${strangers(input as string | string[]).join(', ')}" is none of ${known?.join(', ')}`,
    })
    .optional();
}

/** Empty: everything. */
const matchSchema = z
  .strictObject({
    service: patterns().meta({ description: `Bare service name or environment/namespace/service, ${GLOB}` }),
    environment: patterns().meta({ description: `Of the service, ${GLOB}` }),
    namespace: patterns().meta({ description: `Of the service, ${GLOB}` }),
    severity: patterns(SEVERITIES).meta({ description: `Of the incident, ${GLOB}` }),
    signal: patterns(SIGNALS).meta({ description: `Of one of the incident's causes, ${GLOB}` }),
  })
  .prefault({});

const timeOfDay = z.string().refine((text) => !Number.isNaN(minuteOfDay(text)), {
  error: ({ input }) => `"${String(input)}" is not a time of day such as 07:30`,
});

const timeZone = z
  .string()
  .refine(isTimeZone, { error: ({ input }) => `there is no time zone "${String(input)}"; one is Europe/Berlin` });

const days = z
  .array(z.enum(WEEKDAYS))
  .default([])
  .meta({ description: 'On which it begins, such as mon, tue; none: on every day' });

const routeSchema = z.strictObject({
  match: matchSchema,
  min_severity: z.enum(SEVERITIES).default('low').meta({ description: 'The route takes incidents of this severity and above' }),
  receivers: z.array(z.string()).min(1).meta({ description: 'Names of those who hear of what the route takes' }),
  continue: z.boolean().default(false).meta({ description: 'Whether routes after it are asked too' }),
});
export type RouteConfig = z.output<typeof routeSchema>;

const quietHoursSchema = z.strictObject({
  receivers: z.array(z.string()).default([]).meta({ description: 'For whom; none: for all' }),
  days,
  from: timeOfDay.meta({ description: 'Time of day at which they begin' }),
  to: timeOfDay.meta({ description: 'Time of day at which they end, of the next day when it is not after `from`' }),
  zone: timeZone.meta({ description: 'IANA time zone of both times' }),
  below: z.enum(SEVERITIES).default('critical').meta({ description: 'Incidents below this severity wait until they end' }),
});
export type QuietHoursConfig = z.output<typeof quietHoursSchema>;

const maintenanceSchema = z.strictObject({
  match: matchSchema,
  days,
  at: timeOfDay.meta({ description: 'Time of day at which it begins' }),
  duration: duration('1h')
    .refine(
      (ms) => ms > 0 && ms <= LONGEST_WINDOW_DAYS * DAY_MS,
      `must be longer than nothing and at most ${LONGEST_WINDOW_DAYS}d`,
    )
    .meta({ description: 'How long it lasts, whatever clocks do meanwhile', unit: 'duration' }),
  zone: timeZone.meta({ description: 'IANA time zone of the time' }),
});
export type MaintenanceConfig = z.output<typeof maintenanceSchema>;

const deliveryShape = {
  routes: z
    .array(routeSchema)
    .default([])
    .meta({ description: 'Who hears of which incident: the first that fits; without any, all receivers hear of all' }),
  quiet_hours: z
    .array(quietHoursSchema)
    .default([])
    .meta({ description: 'When nothing is sent that can wait; what is new by their end is sent then' }),
  maintenance: z
    .array(maintenanceSchema)
    .default([])
    .meta({ description: 'When incidents of these labels are expected every week, and nobody is told' }),
  group_wait: finiteDuration('1s').meta({
    description: 'How long the first message of an incident waits for what belongs to it; twice as long for its report',
  }),
  update_interval: finiteDuration('15s').meta({
    description: 'A message changes at most this often while its incident goes on; acknowledged and resolved are told at once',
  }),
  max_messages_per_hour: z.int().min(1).default(60).meta({
    description: 'First messages to one receiver; further incidents below critical wait, and the last message says how many',
  }),
  timeout: finiteDuration('10s', 1).meta({
    description: 'How long a receiver may take to answer one request; all that one message needs may take four times as long',
  }),
  give_up_after: duration('24h').meta({ description: 'How long a message is tried again that its receiver does not take' }),
  public_url: z
    .string()
    .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'must be an http or https URL')
    .optional()
    .meta({ description: 'Where people reach this HELIOS; messages then link to the report' }),
};

/** Names that routes and quiet hours mention and no receiver has, each with its path. */
function strangers({ routes, quiet_hours: quietHours }: DeliveryConfig, known: readonly string[]) {
  const lists = [
    ...routes.map(({ receivers }, index) => ({ receivers, path: ['routes', index, 'receivers'] })),
    ...quietHours.map(({ receivers }, index) => ({ receivers, path: ['quiet_hours', index, 'receivers'] })),
  ];
  return lists.flatMap(({ receivers, path }) =>
    receivers.map((name, at) => ({ name, path: [...path, at] })).filter(({ name }) => !known.includes(name)),
  );
}

export const notifyConfigSchema = z
  .strictObject({
    receivers: z
      .array(receiverConfigSchema)
      .default([])
      .meta({ description: 'Who is told of incidents; without any, nobody is' }),
    ...deliveryShape,
  })
  .superRefine((notify, context) => {
    const known = notify.receivers.map(({ name }) => name);
    for (const [index, name] of known.entries()) {
      if (known.indexOf(name) === index) continue;
      context.addIssue({ code: 'custom', path: ['receivers', index, 'name'], message: `there are two receivers "${name}"` });
    }
    for (const { name, path } of strangers(notify, known)) {
      const nearest = nearestName(name, known);
      const advice = nearest === null ? `there is ${known.join(', ') || 'none'}` : `did you mean "${nearest}"?`;
      context.addIssue({ code: 'custom', path, message: `there is no receiver "${name}"; ${advice}` });
    }
  });
export type NotifyConfig = z.output<typeof notifyConfigSchema>;
/** What delivery needs to know of it. */
export type DeliveryConfig = Omit<NotifyConfig, 'receivers'>;
