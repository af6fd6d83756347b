import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ModelServer } from '../../src/report/llm/model-server.fixture.ts';
import { SLACK_CHANNEL, SLACK_TOKEN } from '../../src/report/notify/slack/slack-server.fixture.ts';
import type { SlackServer } from '../../src/report/notify/slack/slack-server.fixture.ts';

/** Writes a configuration whose incidents a model narrates and a channel hears of, both soon; returns the file. */
export function writeTellingConfig(directory: string, slack: SlackServer, model: ModelServer): string {
  const file = join(directory, 'helios.yaml');
  const api = `${new URL(slack.url).origin}/api/`;
  const config = {
    report: {
      llm: { provider: 'openai-compatible', model: 'scripted', base_url: model.url, openai_api_key: 'none', delay: '3s' },
      prices: [{ model: 'scripted', input: 10, output: 50 }],
      update_interval: '1s',
    },
    notify: {
      receivers: [{ name: 'chat', type: 'slack', channel: SLACK_CHANNEL, token: SLACK_TOKEN, api_url: api }],
      update_interval: '1s',
    },
  };
  writeFileSync(file, stringify(config));
  return file;
}
