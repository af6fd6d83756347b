// Bundles the reporter as an AWS Lambda function into dist/lambda and dist/lambda.zip (docs/lambda.md), and says how large it is.
import path from 'node:path';
import { buildLambda } from './lambda-bundle.ts';

const MIB = 1024 * 1024;
const out = path.join(import.meta.dirname, '../dist');
const { folder, zip, bytes, zipBytes } = await buildLambda(out);
const shown = (file: string): string => path.relative(process.cwd(), file);
process.stdout.write(`${shown(folder)}: ${(bytes / MIB).toFixed(2)} MiB; ${shown(zip)}: ${(zipBytes / MIB).toFixed(2)} MiB\n`);
