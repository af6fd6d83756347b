// One stream in a process of its own: options as JSON in the first argument, the result as JSON on standard output.
import { runStream } from './detection-run.ts';
import type { RunOptions } from './detection-run.ts';

process.stdout.write(JSON.stringify(runStream(JSON.parse(process.argv[2] ?? '{}') as RunOptions)));
