import { HeliosStack } from '../test/servers/helios-stack.ts';
import type { StackOptions } from '../test/servers/helios-stack.ts';
import { serverAddress } from '../test/servers/server-address.fixture.ts';
import { KafkaServer, PostgresServer } from '../test/servers/server-script.ts';
import { StackAudit } from './stack-audit.ts';
import type { FaultyStack } from './stack-faults.ts';

/** A broker and a database of a measurement's own, one process a role over them, and questions to the database past HELIOS. */
export interface StackServers extends FaultyStack, AsyncDisposable {
  audit: StackAudit;
}

/** Starts all of it by the scripts of the folder that HELIOS_TEST_SERVERS names; rejects when it names none. */
export async function startStackServers(options: Pick<StackOptions, 'args' | 'replicas'>): Promise<StackServers> {
  const folder = serverAddress('servers');
  if (folder === undefined) throw new Error('HELIOS_TEST_SERVERS must name the folder with the scripts that start servers');
  await using opening = new AsyncDisposableStack();
  const kafka = opening.use(await KafkaServer.start(folder));
  const postgres = opening.use(await PostgresServer.start(folder));
  const stack = opening.use(await HeliosStack.start({ kafka: kafka.address, postgres: postgres.address, ...options }));
  const audit = opening.use(new StackAudit(postgres.address));
  const scope = opening.move();
  return { kafka, postgres, stack, audit, [Symbol.asyncDispose]: () => scope.disposeAsync() };
}
