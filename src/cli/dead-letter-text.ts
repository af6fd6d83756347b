import type { FullLetter, Letter } from '../roles/dead-letter-service.ts';
import { formatTable, shortTime, visible } from './table.ts';

function stateOf({ retriedAt }: Letter): string {
  return retriedAt === null ? 'waiting' : `retried ${shortTime(retriedAt)}`;
}

function sourceOf({ topic, partition, offset }: Letter): string {
  return `${topic}, partition ${partition}, offset ${offset}`;
}

export function lettersTable(letters: readonly Letter[]): string {
  const head = ['LETTER', 'AT (UTC)', 'TOPIC', 'PARTITION', 'OFFSET', 'STATE', 'BYTES', 'REASON'];
  const rows = letters.map((letter) => [
    letter.name,
    shortTime(letter.at),
    letter.topic,
    String(letter.partition),
    String(letter.offset),
    stateOf(letter),
    String(letter.valueBytes),
    letter.reason,
  ]);
  return formatTable(head, rows);
}

/** Longer than any run of backticks inside, so that the value ends where it ends (CommonMark 0.31, section 4.5). */
function fenceFor(text: string): string {
  const longest = [...text.matchAll(/`+/g)].reduce((most, [run]) => Math.max(most, run.length), 2);
  return '`'.repeat(longest + 1);
}

/** One letter with its value between fences; bytes that are no UTF-8 show as U+FFFD, control characters as \xNN. */
export function letterText(letter: FullLetter): string {
  const value = visible(new TextDecoder().decode(letter.value)).trimEnd();
  const fence = fenceFor(value);
  const facts = [
    ['letter', letter.name],
    ['from', sourceOf(letter)],
    ['at', letter.at],
    ['state', stateOf(letter)],
    ['reason', letter.reason],
  ];
  const lines = facts.map(([name = '', fact = '']) => `${name.padEnd(7)} ${visible(fact).replaceAll(/\s+/g, ' ')}`);
  return [...lines, '', fence, value, fence].join('\n');
}
