/** Occurrences of one message template of an entity in one minute; what counts are errors only. */
export interface TemplateCount {
  entity: string;
  /** Stable hash of the template's text. */
  templateId: string;
  /** The message with numbers, ids and addresses replaced by `<*>`-style placeholders. */
  template: string;
  /** Start of the minute, milliseconds since the epoch. */
  minuteMs: number;
  count: number;
  /** One message as it came, at most 300 characters. */
  example: string;
}
