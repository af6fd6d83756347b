import { setTimeout as sleep } from 'node:timers/promises';
import type { Prng } from '../src/lib/prng.ts';
import type { HeliosStack } from '../test/servers/helios-stack.ts';
import type { KafkaServer, PostgresServer } from '../test/servers/server-script.ts';

/** What can be done to a running stack: kill -9 of a process of a role, of the broker, of the database, and a pause of a store. */
export const FAULTS = ['ingest', 'store', 'detect', 'report', 'broker', 'database', 'zombie'] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface FaultyStack {
  stack: HeliosStack;
  kafka: KafkaServer;
  postgres: PostgresServer;
}

/** Time that a process stays dead, milliseconds. */
const DOWN_MS = { least: 200, most: 2000 };
/** Longer than a consumer's session, so that its partitions go to another. */
const PAUSE_MS = 14_000;

/** Kinds in seeded order; each of them comes when there are enough. */
export function drawFaults(prng: Prng, count: number, kinds: readonly FaultKind[] = FAULTS): FaultKind[] {
  const drawn: FaultKind[] = [];
  while (drawn.length < count) {
    const round = [...kinds];
    while (round.length > 0 && drawn.length < count) drawn.push(...round.splice(prng.below(round.length), 1));
  }
  return drawn;
}

/** Does it, and puts it right again; resolves when what was killed runs. */
export async function strike(kind: FaultKind, { stack, kafka, postgres }: FaultyStack, prng: Prng): Promise<void> {
  const downMs = DOWN_MS.least + prng.below(DOWN_MS.most - DOWN_MS.least);
  if (kind === 'broker') {
    await kafka.kill();
    await sleep(downMs);
    await kafka.restart();
  } else if (kind === 'database') {
    await postgres.kill();
    await sleep(downMs);
    await postgres.restart();
  } else if (kind === 'zombie') {
    const { child } = stack.of(nameOf('store', stack, prng));
    child.kill('SIGSTOP');
    await sleep(PAUSE_MS);
    child.kill('SIGCONT');
  } else {
    const name = nameOf(kind, stack, prng);
    await stack.kill(name);
    await sleep(downMs);
    await stack.start(name);
  }
}

function nameOf(role: string, stack: HeliosStack, prng: Prng): string {
  const names = stack.names().filter((name) => name.startsWith(`${role}-`));
  return names[prng.below(names.length)] as string;
}
