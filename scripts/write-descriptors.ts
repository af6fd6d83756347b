// Writes what gRPC reflection answers; src/ingest/grpc/descriptors.itest.ts fails while it differs from proto/.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DESCRIPTORS_PATH, descriptorModule } from './descriptors.ts';

writeFileSync(join(import.meta.dirname, '..', DESCRIPTORS_PATH), descriptorModule());
