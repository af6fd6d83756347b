import { systemClock } from '../../src/lib/clock.ts';
import { createBudget } from '../../src/report/spending/budget.ts';
import { budgetConfigSchema } from '../../src/report/spending/config.ts';
import { openDatabase } from '../../src/store/embedded/database.ts';
import { openRecordStore } from '../../src/store/embedded/records.ts';

/**
 * A process of its own that spends on 20 incidents at once: `spending-writer.ts DIR USD COUNT settle|hold`. Prints how many
 * reservations it got, and with `hold` waits to be killed with them in its hands.
 */
const [, , dir = '', usd = '', count = '', mode = ''] = process.argv;
using database = openDatabase({ dir });
const config = budgetConfigSchema.parse({ per_incident: 0.1, per_day: 1, per_month: 1 });
const budget = createBudget({ records: openRecordStore(database), config, clock: systemClock });
const spent = { usd: Number(usd), inputTokens: 100, outputTokens: 10, model: 'm' };

async function spend(i: number): Promise<boolean> {
  const answer = await budget.reserve({ incidentId: `inc-${i % 20}`, service: `service-${i % 3}`, usd: spent.usd });
  if (answer.ok && mode === 'settle') await answer.reservation.settle(spent);
  return answer.ok;
}

const done = await Promise.all(Array.from({ length: Number(count) }, (_, i) => spend(i)));
process.stdout.write(`${done.filter(Boolean).length}\n`);
if (mode === 'hold') await systemClock.sleep(600_000);
