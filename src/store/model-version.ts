import { HeliosError } from '../lib/errors.ts';
import type { ModelRecord } from '../model/model-record.ts';

/** The number of a version such as "v12", or 0 for anything else. */
export function modelNumber(version: string): number {
  return /^v[1-9]\d{0,14}$/.test(version) ? Number(version.slice(1)) : 0;
}

export function modelVersion(number: number): string {
  return `v${number}`;
}

/** Version and state are the row's; the rest is as it was stored. */
export function modelRecord(record: ModelRecord, number: number, isActive: boolean): ModelRecord {
  return { ...record, version: modelVersion(number), state: isActive ? 'active' : 'inactive' };
}

export function unknownModel(version: string): HeliosError {
  return new HeliosError('not_found', `cannot activate model ${version}: there is no such version`);
}

/** Why a service's model cannot be rolled back. */
export function noRollBack(service: string, code: 'not_found' | 'conflict'): HeliosError {
  const why = code === 'not_found' ? 'none is active' : 'none was active before, or it is no longer kept';
  return new HeliosError(code, `cannot roll back the model of ${service}: ${why}`, { details: { field: 'service' } });
}
