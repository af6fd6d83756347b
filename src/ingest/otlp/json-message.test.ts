import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { logsFromJson } from './logs-json.ts';
import type { Decoded } from './protobuf.oracle.ts';
import { decodeMessage, LOGS_REQUEST, TRACES_REQUEST } from './protobuf.oracle.ts';
import { tracesFromJson } from './traces-json.ts';

const requestOf = (records: unknown, more: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: records }], ...more }] }));

function recordOf(record: object): Decoded {
  const { resources } = decodeMessage(LOGS_REQUEST, logsFromJson(requestOf([record])));
  return resources[0].scopes[0].records[0] as Decoded;
}

const refused = (body: string | Buffer, pattern: RegExp): void =>
  assert.throws(
    () => logsFromJson(Buffer.from(body)),
    (error) => error instanceof HeliosError && error.code === 'invalid_body' && pattern.test(error.message),
    String(pattern),
  );

test('64-bit integers are read from numbers and from strings, all digits kept', () => {
  for (const time of ['1731000000123456789', '0', '18446744073709551615']) {
    assert.equal(recordOf({ timeUnixNano: time })['timeUnixNano'], BigInt(time));
  }
  assert.equal(recordOf({ timeUnixNano: 1731000000000000000 })['timeUnixNano'], 1731000000000000000n);
  for (const int of ['-9223372036854775808', '9223372036854775807', '-1']) {
    assert.equal(recordOf({ body: { intValue: int } })['body'].intValue, BigInt(int));
  }
  assert.equal(recordOf({ body: { intValue: -5 } })['body'].intValue, -5n);
});

test('enums are read from numbers and from names', () => {
  assert.equal(recordOf({ severityNumber: 'SEVERITY_NUMBER_ERROR2' })['severityNumber'], 18);
  assert.equal(recordOf({ severityNumber: 9 })['severityNumber'], 9);
  const spans = {
    resourceSpans: [{ scopeSpans: [{ spans: [{ kind: 'SPAN_KIND_CONSUMER', status: { code: 'STATUS_CODE_ERROR' } }] }] }],
  };
  const { resources } = decodeMessage(TRACES_REQUEST, tracesFromJson(Buffer.from(JSON.stringify(spans))));
  assert.deepEqual([resources[0].scopes[0].records[0].kind, resources[0].scopes[0].records[0].status.code], [5, 2]);
});

test('ids are hexadecimal in either case, bytes base64, and special doubles are names', () => {
  assert.equal(recordOf({ traceId: 'ABcd01' })['traceId'].toString('hex'), 'abcd01');
  assert.equal(recordOf({ body: { bytesValue: '-_-_aGk=' } })['body'].bytesValue.toString('base64'), '+/+/aGk=');
  for (const value of ['NaN', 'Infinity', '-Infinity', '1.5e3', 2.5]) {
    assert.equal(recordOf({ body: { doubleValue: value } })['body'].doubleValue, Number(value));
  }
});

test('null is absent, and names that are unknown are passed over', () => {
  const record = recordOf({ body: null, flags: null, traceId: null, somethingNew: [{ a: 1 }], __proto__: null, spanId: '01' });
  assert.deepEqual(Object.keys(record).toSorted(), ['attributes', 'spanId']);
  assert.equal(logsFromJson(Buffer.from('{"__proto__":[1],"constructor":{}}')).length, 0);
});

test('a body that is not the message is refused, and the field at fault is named', () => {
  refused('', /^cannot read ExportLogsServiceRequest: it is not valid JSON$/);
  refused('[]', /it must be a JSON object/);
  refused('{"resourceLogs":{}}', /: resourceLogs must be an array$/);
  refused(
    requestOf([{ timeUnixNano: '1e3' }]),
    /: resourceLogs\[0\]\.scopeLogs\[0\]\.logRecords\[0\]\.timeUnixNano must be an integer$/,
  );
  refused(requestOf([{}, { severityNumber: 1.5 }]), /logRecords\[1\]\.severityNumber must be an integer/);
  refused(requestOf([{ severityNumber: 'LOUD' }]), /severityNumber must be an integer/);
  refused(requestOf([{ traceId: 'W47/95gDgQPSabYzgT/GDA==' }]), /traceId must be a string of hexadecimal digits/);
  refused(requestOf([{ spanId: 'abc' }]), /spanId must be a string of hexadecimal digits/);
  refused(requestOf([{ body: 'text' }]), /body must be an object/);
  refused(requestOf([{ body: { bytesValue: 'a b' } }]), /bytesValue must be a string of base64/);
  refused(requestOf([{ body: { boolValue: 'true' } }]), /boolValue must be true or false/);
  refused(requestOf([{ body: { doubleValue: '' } }]), /doubleValue must be a number/);
  refused(requestOf([{ severityText: 5 }]), /severityText must be a string/);
  refused(requestOf([null]), /logRecords\[0\] must be an object/);
});

test('bodies that nest without end do not exhaust the stack', () => {
  const deep = `${'{"arrayValue":{"values":['.repeat(100_000)}{}${']}}'.repeat(100_000)}`;
  const body = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${deep}}]}]}]}`;
  assert.ok(logsFromJson(Buffer.from(body)).length < 2000);
});
