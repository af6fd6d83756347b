import type { Socket } from 'node:net';

/** Connections that all ports may hold together: each is an open file, and the log and the store need some too. */
export class ConnectionBudget {
  readonly #limit: number;
  #open = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts a new connection until it closes; past the limit it is cut, and the answer false. */
  take(socket: Socket): boolean {
    if (this.#open >= this.#limit) {
      socket.destroy();
      return false;
    }
    this.#open++;
    socket.once('close', () => this.#open--);
    return true;
  }
}
