/** What came of a request: durable; to be repeated later, as the server asks for; or refused for good. */
export type Outcome = 'stored' | 'later' | 'refused';

export interface LoadAnswer {
  outcome: Outcome;
  /** Status and body, for people. */
  text: string;
}

/** Carries one request at a time. */
export interface LoadChannel {
  /** False once it is closed or broken. */
  readonly usable: boolean;
  /** The bytes may be changed once the answer is there. Rejects when the connection ends first. */
  post(bytes: Buffer): Promise<LoadAnswer>;
  close(): void;
}
