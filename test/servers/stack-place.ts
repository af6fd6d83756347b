import { randomBytes } from 'node:crypto';
import { Admin } from '@platformatic/kafka';
import pg from 'pg';

const TOPICS = ['events', 'metrics', 'traces', 'anomalies', 'edges', 'control'];

async function administer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** Topics, groups and a database of a test's own on servers that others use too; all of it goes with the place. */
export class StackPlace implements AsyncDisposable {
  readonly kafka: string;
  readonly postgres: string;
  /** For every process of the stack. */
  readonly args: readonly string[];
  readonly #postgresUrl: string;
  readonly #name = `helios_test_${randomBytes(6).toString('hex')}`;

  private constructor(kafka: string, postgresUrl: string) {
    this.kafka = kafka;
    this.#postgresUrl = postgresUrl;
    const url = new URL(postgresUrl);
    url.pathname = `/${this.#name}`;
    this.postgres = url.href;
    const topics = TOPICS.map((topic) => `kafka.topic_${topic}=${this.#topic(topic)}`);
    this.args = [...topics, `kafka.group_prefix=${this.#name}-`].flatMap((setting) => ['--set', setting]);
  }

  static async open(kafka: string, postgresUrl: string): Promise<StackPlace> {
    const place = new StackPlace(kafka, postgresUrl);
    await administer(postgresUrl, `CREATE DATABASE ${place.#name}`);
    return place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await administer(this.#postgresUrl, `DROP DATABASE ${this.#name} WITH (FORCE)`);
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: this.kafka.split(',') });
    const topics = await admin.listTopics();
    const own = topics.filter((topic) => topic.startsWith(`${this.#name}-`));
    if (own.length > 0) await admin.deleteTopics({ topics: own });
    await admin.close();
  }

  #topic(name: string): string {
    return `${this.#name}-${name}`;
  }
}
