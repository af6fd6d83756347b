import assert from 'node:assert/strict';
import test from 'node:test';
import { compressionsAlgorithms, NetworkError, Reader, UserError } from '@platformatic/kafka';
import { isUnreadableAnswer, protocolReason } from './fetch-failure.ts';

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return assert.fail('it did not throw');
}

test('bytes that the client cannot read are told from answers that did not come, and from bugs', () => {
  const garbage = Buffer.from('garbage garbage garbage');
  for (const name of ['lz4', 'zstd', 'gzip', 'snappy'] as const) {
    assert.ok(isUnreadableAnswer(thrownBy(() => compressionsAlgorithms[name].decompressSync(garbage))), name);
  }
  assert.ok(isUnreadableAnswer(thrownBy(() => Reader.from(Buffer.alloc(1)).readInt64())));
  assert.ok(!isUnreadableAnswer(new NetworkError('Connection closed')));
  assert.ok(!isUnreadableAnswer(new UserError('Cannot find broker with node id 1')));
  assert.ok(!isUnreadableAnswer(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })));
  assert.ok(!isUnreadableAnswer(thrownBy(() => (undefined as unknown as { x: number }).x)));
});

test('error codes are told by their names, unknown ones by their numbers', () => {
  assert.deepEqual(protocolReason(6), { reason: 'the broker answers NOT_LEADER_OR_FOLLOWER', code: 'NOT_LEADER_OR_FOLLOWER' });
  assert.equal(protocolReason(9999).code, '9999');
});
