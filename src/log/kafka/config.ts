import { z } from 'zod';
import { duration, size } from '../../lib/config-types.ts';

const hotServiceSchema = z.strictObject({
  service: z.string().min(1).meta({ description: 'Its name, in every environment, or environment/namespace/service' }),
  partitions: z.int().min(2).max(1000).meta({ description: 'How many partitions its events are spread over' }),
});

export const kafkaConfigSchema = z.strictObject({
  brokers: z
    .array(z.string().min(1))
    .default([])
    .meta({ description: 'Bootstrap list host:port; without any the log is embedded' }),
  topic_events: z.string().min(1).default('events').meta({ description: 'Topic of events' }),
  topic_metrics: z.string().min(1).default('metrics').meta({ description: 'Topic of metric points' }),
  topic_traces: z.string().min(1).default('traces').meta({ description: 'Topic of events that belong to a trace, by trace id' }),
  topic_anomalies: z.string().min(1).default('anomaly-alerts').meta({ description: 'Topic of what the detectors find' }),
  topic_edges: z.string().min(1).default('edges').meta({ description: 'Compacted topic of the call graph' }),
  topic_control: z.string().min(1).default('control').meta({ description: 'Compacted topic of decisions for the detectors' }),
  dead_letter_suffix: z
    .string()
    .min(1)
    .default('.dlq')
    .meta({ description: 'Appended to a topic: where its unreadable records go' }),
  partitions: z.int().min(1).max(1000).default(10).meta({ description: 'Partitions of topics that are created' }),
  hot_services: z
    .array(hotServiceSchema)
    .default([])
    .meta({ description: 'Services with more events than one partition takes; the same for all roles' }),
  replication: z
    .int()
    .min(1)
    .max(9)
    .default(3)
    .meta({ description: 'Replicas of topics that are created; with 3 or more, 2 must be in sync' }),
  retention: duration('7d').meta({ description: 'How long created topics keep records' }),
  create_topics: z.boolean().default(true).meta({ description: 'Creates topics that are missing' }),
  compression: z.enum(['none', 'lz4', 'zstd', 'gzip']).default('lz4').meta({ description: 'Of produced records' }),
  linger: duration('5ms').meta({ description: 'How long a record waits for more events of its partition' }),
  max_record: size('900KB').meta({ description: 'Largest record; the broker accepts 1 MiB by default' }),
  max_pending: size('64MiB').meta({ description: 'Bytes waiting for the broker before appends are refused' }),
  delivery_timeout: duration('30s').meta({
    description: 'An append that the broker has not acknowledged by then is answered 503; its events may still come',
  }),
  group_prefix: z.string().default('').meta({ description: 'Put before the names of consumer groups' }),
  tls: z.boolean().default(false).meta({ description: 'Speaks TLS to the brokers' }),
  tls_ca_file: z.string().optional().meta({ description: "PEM certificates to trust instead of the system's" }),
  sasl: z
    .enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'aws-msk-iam'])
    .default('none')
    .meta({ description: 'How to authenticate' }),
  username: z.string().optional().meta({ description: 'For plain and scram' }),
  password: z.string().optional().meta({ description: 'For plain and scram', secret: true }),
  aws_region: z.string().optional().meta({ description: 'For aws-msk-iam' }),
});
export type KafkaConfig = z.output<typeof kafkaConfigSchema>;
