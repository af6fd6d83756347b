import { HeliosError } from '../lib/errors.ts';

/** A tree of class instances as plain data: objects by field, everything else as it is. */
export type InstanceState = Record<string, unknown>;

function isInstance(value: unknown): value is InstanceState {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof Map || value instanceof Set) return false;
  return true;
}

function captureValue(value: unknown): unknown {
  if (typeof value === 'function') return undefined;
  if (Array.isArray(value)) return value.map(captureValue);
  return isInstance(value) ? captureState(value) : value;
}

/**
 * State of an object and of what its fields hold, as plain data that shares nothing but typed arrays, maps and sets with it. Fields
 * declared with `#` are not seen: what is to survive a restart is declared `private` or public.
 */
export function captureState(instance: object): InstanceState {
  const state: InstanceState = {};
  for (const [key, value] of Object.entries(instance)) {
    const captured = captureValue(value);
    if (captured !== undefined) state[key] = captured;
  }
  return state;
}

function misfit(path: string): HeliosError {
  return new HeliosError('corrupt_data', `cannot restore the detector: its state does not fit at ${path}`);
}

/** In place wherever that is possible: other fields may hold the same object or view the same memory. */
function appliedValue(target: unknown, value: unknown, path: string): unknown {
  if (ArrayBuffer.isView(target)) {
    if (!ArrayBuffer.isView(value) || target.constructor !== value.constructor) throw misfit(path);
    const [to, from] = [target as Float64Array, value as Float64Array];
    if (to.length !== from.length) return from.slice();
    to.set(from);
    return to;
  }
  if (Array.isArray(target) && Array.isArray(value)) {
    for (const [i, item] of value.entries()) target[i] = i < target.length ? appliedValue(target[i], item, `${path}/${i}`) : item;
    target.length = value.length;
    return target;
  }
  if (isInstance(target) && isInstance(value)) {
    applyState(target, value, path);
    return target;
  }
  if (isInstance(target) && target.constructor !== Object) throw misfit(path);
  return value;
}

/**
 * Gives an object, built with the same options as the one that was captured, that one's state. Throws `corrupt_data` when a field that
 * holds an instance or a typed array got something else.
 */
export function applyState(instance: object, state: InstanceState, path = ''): void {
  const target = instance as InstanceState;
  for (const [key, value] of Object.entries(state)) target[key] = appliedValue(target[key], value, `${path}/${key}`);
}
