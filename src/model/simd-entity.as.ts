// The entity of an event (entity.ts) from where its parts lie.
import { copyBytes, hasByte } from './simd-bytes.as.ts';
import { allows } from './simd-imports.as.ts';
import { KEY_OTHER } from './simd-keys.as.ts';
import { SCRATCH } from './simd-layout.as.ts';
import { askName, ENTITIES, findName } from './simd-names.as.ts';

const SLASH: u8 = 0x2f;

let serviceStart: usize = 0;
let serviceEnd: usize = 0;
let environmentKey: i32 = KEY_OTHER;
let environmentStart: usize = 0;
let environmentEnd: usize = 0;
let namespaceKey: i32 = KEY_OTHER;
let namespaceStart: usize = 0;
let namespaceEnd: usize = 0;

export function clearEntity(): void {
  environmentKey = namespaceKey = KEY_OTHER;
  environmentStart = environmentEnd = namespaceStart = namespaceEnd = 0;
}

export function setService(start: usize, end: usize): void {
  serviceStart = start;
  serviceEnd = end;
}

export function setEnvironment(key: i32, start: usize, end: usize): void {
  if (end == start || key > environmentKey) return;
  environmentKey = key;
  environmentStart = start;
  environmentEnd = end;
}

export function setNamespace(key: i32, start: usize, end: usize): void {
  if (end == start || key > namespaceKey) return;
  namespaceKey = key;
  namespaceStart = start;
  namespaceEnd = end;
}

/** Appends a part and a slash at `to`; the address after them, or 0 for a part whose slashes would have to be written otherwise. */
function addPart(to: usize, start: usize, end: usize): usize {
  if (hasByte(start, end, SLASH)) return 0;
  copyBytes(to, start, end - start);
  store<u8>(to + (end - start), SLASH);
  return to + (end - start) + 1;
}

/** Id of the event's entity; 0 when it is not for this sender, or to be left to the plain rules. */
export function readEntity(isRestricted: bool): i32 {
  let start = serviceStart;
  let end = serviceEnd;
  if (environmentEnd != 0 || namespaceEnd != 0 || hasByte(start, end, SLASH)) {
    start = SCRATCH;
    end = addPart(start, environmentStart, environmentEnd);
    if (end != 0) end = addPart(end, namespaceStart, namespaceEnd);
    if (end == 0) return 0;
    copyBytes(end, serviceStart, serviceEnd - serviceStart);
    end += serviceEnd - serviceStart;
  }
  const entity = findName(ENTITIES, start, end - start);
  if (isRestricted && !allows(entity, serviceStart, <i32>(serviceEnd - serviceStart))) return 0;
  return entity != 0 ? entity : askName(ENTITIES, start, end - start);
}
