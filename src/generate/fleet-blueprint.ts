/** A call to `service` `endpoint`, made with `probability`; the caller survives the failure of an optional one. */
export interface CallBlueprint {
  service: string;
  endpoint: string;
  probability: number;
  optional?: true;
}

export interface EndpointBlueprint {
  path: string;
  /** Median of the endpoint's own time, without its calls, milliseconds. */
  medianMs: number;
  /** Share of the users' requests that enter here; only endpoints of the first service have one. */
  weight?: number;
  calls?: readonly CallBlueprint[];
}

export interface ServiceBlueprint {
  name: string;
  endpoints: readonly EndpointBlueprint[];
}

function call(target: string, probability = 1): CallBlueprint {
  const [service, endpoint] = target.split(' ') as [string, string];
  return { service, endpoint, probability };
}

function optional(target: string, probability = 1): CallBlueprint {
  return { ...call(target, probability), optional: true };
}

/**
 * A reservation business. Requests enter at the first service; taking the first n services leaves a graph that still
 * makes sense, since calls to absent ones are left out.
 */
export const FLEET_BLUEPRINT: readonly ServiceBlueprint[] = [
  {
    name: 'edge-gateway',
    endpoints: [
      { path: '/home', medianMs: 3, weight: 26, calls: [call('web-portal /home')] },
      { path: '/search', medianMs: 3, weight: 32, calls: [call('web-portal /search')] },
      { path: '/item', medianMs: 3, weight: 18, calls: [call('web-portal /item')] },
      { path: '/reserve', medianMs: 5, weight: 12, calls: [call('booking /create')] },
      { path: '/login', medianMs: 4, weight: 7, calls: [call('identity /session')] },
      { path: '/trips', medianMs: 3, weight: 5, calls: [call('booking /status'), optional('dispatch /track', 0.8)] },
    ],
  },
  {
    name: 'web-portal',
    endpoints: [
      { path: '/home', medianMs: 16, calls: [call('listing /featured', 0.9), optional('identity /verify', 0.5)] },
      { path: '/search', medianMs: 24, calls: [call('listing /search'), call('quote /price', 0.8)] },
      {
        path: '/item',
        medianMs: 14,
        calls: [call('listing /item'), call('quote /price', 0.9), optional('stock /availability', 0.7)],
      },
    ],
  },
  {
    name: 'identity',
    endpoints: [
      { path: '/session', medianMs: 22, calls: [optional('audit /record', 0.6)] },
      { path: '/verify', medianMs: 4 },
    ],
  },
  {
    name: 'listing',
    endpoints: [
      { path: '/featured', medianMs: 11 },
      { path: '/search', medianMs: 32 },
      { path: '/item', medianMs: 8 },
    ],
  },
  {
    name: 'quote',
    endpoints: [
      { path: '/price', medianMs: 10, calls: [call('stock /availability', 0.15)] },
      { path: '/discount', medianMs: 6 },
    ],
  },
  {
    name: 'booking',
    endpoints: [
      {
        path: '/create',
        medianMs: 38,
        calls: [
          call('identity /verify'),
          call('quote /price'),
          call('quote /discount', 0.3),
          call('stock /reserve'),
          call('billing /charge', 0.95),
          call('dispatch /schedule', 0.9),
          optional('messaging /send', 0.9),
        ],
      },
      { path: '/status', medianMs: 7 },
    ],
  },
  {
    name: 'stock',
    endpoints: [
      { path: '/availability', medianMs: 6 },
      { path: '/reserve', medianMs: 15 },
    ],
  },
  {
    name: 'billing',
    endpoints: [
      { path: '/charge', medianMs: 85, calls: [call('ledger /append'), optional('audit /record')] },
      { path: '/refund', medianMs: 70, calls: [call('ledger /append')] },
    ],
  },
  {
    name: 'dispatch',
    endpoints: [
      { path: '/schedule', medianMs: 28, calls: [optional('messaging /send', 0.4)] },
      { path: '/track', medianMs: 9 },
    ],
  },
  {
    name: 'messaging',
    endpoints: [
      { path: '/send', medianMs: 20 },
      { path: '/preview', medianMs: 5 },
    ],
  },
  {
    name: 'ledger',
    endpoints: [
      { path: '/append', medianMs: 12 },
      { path: '/balance', medianMs: 9 },
    ],
  },
  { name: 'audit', endpoints: [{ path: '/record', medianMs: 4 }] },
];

export const MAX_SERVICES = 200;

/** The first `count` services; beyond the written ones, further ones named "extension-13" and on, which the fleet attaches. */
export function blueprintOf(count: number): ServiceBlueprint[] {
  const services = FLEET_BLUEPRINT.slice(0, count).map((service) => ({ ...service }));
  for (let number = services.length + 1; number <= count; number++) {
    services.push({
      name: `extension-${number}`,
      endpoints: [
        { path: '/read', medianMs: 3 + (number % 7) * 2 },
        { path: '/write', medianMs: 5 + (number % 5) * 4 },
      ],
    });
  }
  return services;
}
