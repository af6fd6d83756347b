import { openEmbeddedProcess } from './embedded-process.ts';
import type { ProcessOptions, RunningProcess, Urls } from './process-options.ts';
import { isDistributed } from './production/roles.ts';
import { checkExposure } from './server.ts';

/** Runs the roles of this process until the signal. A start that fails closes what it had opened, in reverse order. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const { config, signal } = options;
  checkExposure(config);
  await using opening = new AsyncDisposableStack();
  const death = Promise.withResolvers<never>();
  death.promise.catch(() => undefined);
  const urls = isDistributed(config)
    ? await openDistributed(options, opening)
    : await openEmbeddedProcess(options, opening, death.reject);
  const scope = opening.move();
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const stopped = Promise.race([aborted, death.promise]).then(() => scope.disposeAsync());
  return { ...urls, stopped };
}

/** Loaded here, because an embedded process has no use for the clients of Kafka and PostgreSQL. */
async function openDistributed(options: ProcessOptions, scope: AsyncDisposableStack): Promise<Urls> {
  const { openProductionProcess } = await import('./production/process.ts');
  return openProductionProcess(options, scope);
}
