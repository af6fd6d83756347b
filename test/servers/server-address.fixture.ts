import test from 'node:test';

/** What a test needs from outside, by the environment variable that names it. */
export type ServerName = 'kafka' | 'postgres' | 's3' | 'servers';

const VARIABLES: Record<ServerName, string> = {
  kafka: 'HELIOS_TEST_KAFKA',
  postgres: 'HELIOS_TEST_POSTGRES',
  s3: 'HELIOS_TEST_S3',
  servers: 'HELIOS_TEST_SERVERS',
};

/**
 * The address of a server for tests: a bootstrap list, a postgres:// URL, the URL of an S3 service, or the folder of the scripts that start servers of one's own.
 * Undefined when there is none, or it says `none`; where HELIOS_TEST_REQUIRE names it that is an error.
 */
export function serverAddress(name: ServerName): string | undefined {
  const address = process.env[VARIABLES[name]];
  if (address !== undefined && address !== '' && address !== 'none') return address;
  if ((process.env['HELIOS_TEST_REQUIRE'] ?? '').split(',').includes(name)) {
    throw new Error(`HELIOS_TEST_REQUIRE names ${name}, but ${VARIABLES[name]} is not set`);
  }
  return undefined;
}

/** Registers tests that need these servers, or one skipped test that says what is missing. */
export function withServers(names: readonly ServerName[], title: string, register: () => void): void {
  const missing = names.filter((name) => serverAddress(name) === undefined);
  if (missing.length === 0) register();
  else test(title, { skip: `needs ${missing.map((name) => VARIABLES[name]).join(', ')}` }, () => undefined);
}
