import type { Prng } from '../src/lib/prng.ts';
import { drawEvent } from './load-event.ts';
import type { LoadEvent } from './load-event.ts';
import { doubleBytes, fixed64Field, lengthField } from './protobuf-fields.ts';
import { ID_PLACEHOLDER, KEY_PLACEHOLDER, TIMESTAMP_PLACEHOLDER } from './load-placeholder.ts';

function metadataEntry(key: string, value: string): Buffer {
  return lengthField(1, lengthField(1, key), lengthField(2, lengthField(3, value)));
}

function message({ service, level, message: text, latencyMs, endpoint }: LoadEvent): Buffer {
  return lengthField(
    1,
    lengthField(1, TIMESTAMP_PLACEHOLDER),
    lengthField(2, service),
    lengthField(3, level),
    lengthField(4, text),
    lengthField(5, metadataEntry('request_id', `req_${ID_PLACEHOLDER}`)),
    fixed64Field(6, doubleBytes(latencyMs)),
    lengthField(7, endpoint),
  );
}

/** `helios.v1.PublishRequest` of proto/helios/v1/events.proto. */
export function publishRequest(records: number, prng: Prng, withKey: boolean): Buffer {
  const events = Array.from({ length: records }, () => message(drawEvent(prng)));
  return Buffer.concat([...events, ...(withKey ? [lengthField(2, `load-${KEY_PLACEHOLDER}`)] : [])]);
}
