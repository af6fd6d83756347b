import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { NO_UPDATE } from '../contract/store-fixture.ts';
import { readCommittedOffset } from './committed-offset.ts';
import { databasePath } from './database.ts';
import { StoreDir } from './store-fixture.ts';

test('the offset of a store is read while another has it open, and is 0 where there is none to read', async () => {
  using place = new StoreDir();
  assert.equal(readCommittedOffset(place.dir), 0);
  {
    await using writer = await place.openWriter();
    await writer.commit(NO_UPDATE, 17);
    assert.equal(readCommittedOffset(place.dir), 17);
  }
  assert.equal(readCommittedOffset(place.dir), 17);
  writeFileSync(databasePath(place.dir), Buffer.alloc(5000, 1));
  assert.equal(readCommittedOffset(place.dir), 0);
});
