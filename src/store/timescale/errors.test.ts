import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { databaseError, isConnectionLost, RowError } from './errors.ts';

function failure(code: string, message = 'it failed', more: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(message), { code }, more);
}

test('a state of the server or of the socket becomes a code and the key at fault', () => {
  const cases: [string, string, string?][] = [
    ['08006', 'unavailable'],
    ['57P01', 'unavailable'],
    ['57P03', 'unavailable'],
    ['57014', 'unavailable'],
    ['25006', 'unavailable'],
    ['55P03', 'unavailable'],
    ['40P01', 'unavailable'],
    ['40001', 'unavailable'],
    ['53300', 'unavailable'],
    ['53200', 'unavailable'],
    ['ECONNREFUSED', 'unavailable'],
    ['ECONNRESET', 'unavailable'],
    ['ENOTFOUND', 'unavailable'],
    ['EPIPE', 'unavailable'],
    ['53100', 'disk_full'],
    ['28P01', 'invalid_config', 'database.password'],
    ['28000', 'invalid_config', 'database.user'],
    ['3D000', 'invalid_config', 'database.name'],
    ['42501', 'invalid_config', 'database.user'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'invalid_config', 'database.tls_ca_file'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'invalid_config', 'database.tls_ca_file'],
    ['XX001', 'corrupt_data'],
    ['42P01', 'internal'],
    ['XX000', 'internal'],
  ];
  for (const [state, code, field] of cases) {
    const error = databaseError('store rows', failure(state));
    assert.deepEqual([state, error.code, error.details.field], [state, code, field]);
    assert.match(error.message, /^cannot store rows: it failed/);
  }
});

test('input that is refused is told apart, with its state', () => {
  for (const state of ['22P02', '22021', '22003', '22P05', '23505', '23514', '54000']) {
    const error = databaseError('store rows', failure(state));
    assert.ok(error instanceof RowError);
    assert.equal(error.sqlState, state);
    assert.equal(error.retryable, false);
  }
});

test('failures of the client have no code but a meaning', () => {
  const code = (message: string): string => databaseError('connect', new Error(message)).code;
  assert.equal(code('Connection terminated unexpectedly'), 'unavailable');
  assert.equal(code('timeout exceeded when trying to connect'), 'unavailable');
  assert.equal(code('Client has encountered a connection error and is not queryable'), 'unavailable');
  assert.equal(code('The server does not support SSL connections'), 'invalid_config');
  assert.equal(code('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'invalid_config');
  assert.equal(code('x is not a function'), 'internal');
});

test('the reason is one line with detail, hint and state', () => {
  const error = databaseError('store rows', failure('23505', 'duplicate\nkey', { detail: 'Key (a)=(1)', hint: 'none' }));
  assert.equal(error.message, 'cannot store rows: duplicate key: Key (a)=(1); none (23505)');
});

test('an error of the program passes through as it is', () => {
  const error = new HeliosError('conflict', 'cannot commit: another process has the partition');
  assert.equal(databaseError('store rows', error), error);
});

test('a connection is lost with its socket, its server, or its right to write, and not with a statement', () => {
  for (const state of ['ECONNRESET', '57P01', '08006', '25006', '25P03', 'XX000'])
    assert.ok(isConnectionLost(failure(state)), state);
  assert.ok(isConnectionLost(databaseError('connect', new Error('Connection terminated unexpectedly'))));
  for (const state of ['22P02', '55P03', '57014', '40001', '53100'])
    assert.ok(!isConnectionLost(databaseError('x', failure(state))), state);
});
