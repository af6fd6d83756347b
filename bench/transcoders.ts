/** Metric doors' transcoders: points a second of one core, and what a point becomes. `node bench/transcoders.ts` */
import { metricsFromProtobuf } from '../src/ingest/otlp/metrics-protobuf.ts';
import { attributesOf, metricsProtobuf, requestOf } from '../src/ingest/otlp/metrics.fixture.ts';
import type { MetricJson } from '../src/ingest/otlp/metrics.fixture.ts';
import { decodeRemoteWrite } from '../src/ingest/prometheus/decode.ts';
import { remoteWrite1 } from '../src/ingest/prometheus/remote-write.fixture.ts';
import type { MetricLines } from '../src/model/metric.ts';
import { NO_LIMITS } from '../src/model/scanner.ts';

const RUN_MS = 800;
const RUNS = 5;
const METRICS = 20;
const POINTS = 50;
const SERIES = 1000;
const NOW_MS = 1_731_000_060_123;
const RESOURCE = {
  'service.name': 'shop',
  'service.version': '1.2.3',
  'deployment.environment.name': 'prod',
  'host.name': 'node-17',
  'k8s.pod.name': 'shop-7f9b6-x2x4',
};

/** Three attributes a point, one of them a number. */
function otlpRequest(): Uint8Array {
  const metrics = Array.from({ length: METRICS }, (_, m): MetricJson => {
    const dataPoints = Array.from({ length: POINTS }, (_, k) => ({
      attributes: attributesOf({
        'http.request.method': k % 2 === 0 ? 'GET' : 'POST',
        'http.response.status_code': 200,
        'http.route': `/items/${k}`,
      }),
      startTimeUnixNano: `${NOW_MS - 60_000}000000`,
      timeUnixNano: `${NOW_MS}456789`,
      asDouble: ((m + 1) * (k + 1)) / 7,
    }));
    const name = `http.server.metric_${m}`;
    if (m % 2 === 0) return { name, unit: 'ms', gauge: { dataPoints } };
    return { name, unit: '1', sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } };
  });
  return metricsProtobuf(requestOf(metrics, RESOURCE));
}

function remoteWriteRequest(): Uint8Array {
  return remoteWrite1(
    Array.from({ length: SERIES }, (_, k) => ({
      labels: [
        ['__name__', `node_cpu_seconds_total_${k >> 3}`],
        ['cpu', String(k % 8)],
        ['instance', '10.0.0.17:9100'],
        ['job', 'node'],
        ['mode', 'idle'],
      ],
      samples: [[NOW_MS, k / 7]],
    })),
  );
}

/** Median over the runs of points a second of processor time, which other programs on the machine do not take part in. */
function measure(name: string, body: Uint8Array, transcode: (body: Uint8Array) => MetricLines): void {
  const lines = transcode(body);
  const rates = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    const before = process.cpuUsage();
    let points = 0;
    while (performance.now() - start < RUN_MS) points += transcode(body).points;
    const { user, system } = process.cpuUsage(before);
    return points / ((user + system) / 1e6);
  });
  const median = rates.toSorted((a, b) => a - b)[RUNS >> 1] as number;
  const perPoint = (bytes: number): string => (bytes / lines.points).toFixed(0);
  process.stdout.write(
    `${name}: ${(median / 1e6).toFixed(2)} million points/s a core, ${perPoint(body.length)} bytes a point in, ${perPoint(lines.bytes.length)} out\n`,
  );
}

measure('OTLP gauges and sums, protobuf', otlpRequest(), (body) => metricsFromProtobuf(body, NO_LIMITS));
measure('remote write 1.0, after snappy', remoteWriteRequest(), (body) => decodeRemoteWrite(body, 1, NO_LIMITS));
