/** A role that works in the background, and why it does not at the moment. */
export interface BackgroundRole extends AsyncDisposable {
  failure(): Error | null;
}
