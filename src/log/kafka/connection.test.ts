import assert from 'node:assert/strict';
import test from 'node:test';
import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError, UserError } from '@platformatic/kafka';
import type { HeliosError } from '../../lib/errors.ts';
import { connectionTo, testConfig } from './kafka.fixture.ts';
import type { KafkaConnection } from './connection.ts';
import { kafkaFailure } from './failure.ts';

const USER = { username: 'u', password: 'p' };

async function optionsOf(brokers: string, overrides: Record<string, unknown>): Promise<KafkaConnection['clientOptions']> {
  await using connection = connectionTo(testConfig(brokers, overrides));
  return connection.clientOptions;
}

test('each way to authenticate becomes what the client calls it', async () => {
  for (const [sasl, mechanism] of [
    ['plain', 'PLAIN'],
    ['scram-sha-256', 'SCRAM-SHA-256'],
    ['scram-sha-512', 'SCRAM-SHA-512'],
  ]) {
    const options = await optionsOf('b:9092', { sasl, ...USER });
    assert.deepEqual(options.sasl, { mechanism, ...USER });
    assert.equal(options.tls, undefined);
  }
  assert.equal((await optionsOf('b:9092', {})).sasl, undefined);
});

test('IAM asks for a token each time, and speaks TLS', async () => {
  const { sasl, tls } = await optionsOf('b-1.example.com:9098', { sasl: 'aws-msk-iam', aws_region: 'eu-west-1' });
  assert.equal(sasl?.mechanism, 'OAUTHBEARER');
  assert.equal(typeof sasl?.token, 'function');
  assert.deepEqual(tls, {});
});

test('the server name is sent where brokers have one', async () => {
  for (const [brokers, expected] of [
    ['kafka-0.example.com:9093,kafka-1.example.com:9093', true],
    ['127.0.0.1:9093', false],
    ['[::1]:9093', false],
  ] as const) {
    assert.equal((await optionsOf(brokers, { tls: true })).tlsServerName, expected);
  }
});

test('a configuration that cannot work is refused with its key', () => {
  const cases: [string, Record<string, unknown>][] = [
    ['kafka.sasl', { sasl: 'plain', username: 'u' }],
    ['kafka.aws_region', { sasl: 'aws-msk-iam' }],
    ['kafka.tls_ca_file', { tls: true, tls_ca_file: '/nowhere/ca.pem' }],
    ['kafka.brokers', { brokers: [] }],
  ];
  for (const [field, overrides] of cases) {
    assert.throws(
      () => connectionTo(testConfig('b:9092', overrides)),
      (error: HeliosError) => error.code === 'invalid_config' && error.details.field === field,
    );
  }
});

test('what the client throws is judged by its innermost cause', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', address: '127.0.0.1', port: 9 });
  const unknown = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND', hostname: 'nowhere' });
  const cases: [Error, string, RegExp][] = [
    [
      new MultipleErrors('Cannot connect to any broker.', [new NetworkError('x', { cause: refused })]),
      'passing',
      /nothing listens at 127/,
    ],
    [new NetworkError('x', { cause: unknown }), 'passing', /host nowhere is not known/],
    [
      new AuthenticationError('failed', { cause: new ProtocolError('SASL_AUTHENTICATION_FAILED', 'bad') }),
      'credentials',
      /\(bad\)/,
    ],
    [
      new MultipleErrors('all', [refused, new ProtocolError('TOPIC_AUTHORIZATION_FAILED')]),
      'forbidden',
      /TOPIC_AUTHORIZATION_FAILED/,
    ],
    [new UserError('Unknown topic events.'), 'missing', /Unknown topic events/],
    [new ProtocolError('NOT_LEADER_OR_FOLLOWER'), 'passing', /NOT_LEADER_OR_FOLLOWER/],
    [new ProtocolError('MESSAGE_TOO_LARGE'), 'too_large', /MESSAGE_TOO_LARGE/],
    [new UserError('Broker requires TLS.'), 'credentials', /speaks TLS/],
    [new Error('anything else'), 'passing', /anything else/],
  ];
  for (const [error, kind, reason] of cases) {
    const failure = kafkaFailure(error);
    assert.equal(failure.kind, kind);
    assert.match(failure.reason, reason);
  }
  assert.equal(kafkaFailure(undefined).kind, 'passing');
});
