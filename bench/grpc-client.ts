import { parentPort, workerData } from 'node:worker_threads';
import { publishBytes } from './grpc-request.ts';
import { LOAD_DOORS } from './load-doors.ts';
import { GrpcSessions, openGrpcStream, openGrpcUnary } from './load-grpc.ts';
import type { LoadChannel } from './load-channel.ts';

/** What a thread that calls a gRPC server is given; it posts the number of its answers when the time is over. */
export interface GrpcClientOptions {
  url: string;
  transport: 'grpc' | 'grpc-stream';
  events: number;
  channels: number;
  seconds: number;
}

async function run({ url, transport, events, channels, seconds }: GrpcClientOptions): Promise<number> {
  const door = LOAD_DOORS[transport];
  const bytes = publishBytes(events);
  const sessions = new GrpcSessions(new URL(url), 2);
  const open = transport === 'grpc' ? openGrpcUnary : openGrpcStream;
  const endMs = performance.now() + seconds * 1000;
  let answers = 0;
  const call = async (channel: LoadChannel): Promise<void> => {
    while (performance.now() < endMs) {
      const { outcome, text } = await channel.post(bytes);
      if (outcome !== 'stored') throw new Error(text);
      answers++;
    }
  };
  const opened = await Promise.all(Array.from({ length: channels }, () => open(sessions, door.path)));
  await Promise.all(opened.map(call));
  sessions.close();
  return answers;
}

parentPort?.postMessage(await run(workerData as GrpcClientOptions));
