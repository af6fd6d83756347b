import type { LabelPatterns } from '../../model/incident-labels.ts';
import { SILENCE_PREFIX, silenceState } from '../../model/silence.ts';
import type { Silence } from '../../model/silence.ts';
import type { RecordStore } from '../../store/record-store.ts';

const PAGE = 500;

/** What silences that people made through the API mute now. Rejects as the store does. */
export async function silencedLabels(records: RecordStore, nowMs: number): Promise<LabelPatterns[]> {
  const found: LabelPatterns[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await records.list({ prefix: SILENCE_PREFIX, limit: PAGE, ...(after !== undefined && { after }) });
    const silences = page.map(({ value }) => value as Silence);
    found.push(...silences.filter((silence) => silenceState(silence, nowMs) === 'active').map(({ labels }) => labels));
    after = page.at(-1)?.key;
    if (page.length < PAGE) return found;
  }
}
