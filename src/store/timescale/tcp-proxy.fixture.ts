import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A proxy on loopback between a client and a server, for the bad days of a network. */
export interface TcpProxy extends AsyncDisposable {
  port: number;
  /**
   * `cut` closes every new connection at once, `frozen` takes bytes and hands nothing on, `held` hands them on once it is `open` again, as a network
   * does that was away.
   */
  mode: 'open' | 'cut' | 'frozen' | 'held';
}

export async function openTcpProxy(host: string, port: number, mode: TcpProxy['mode'] = 'open'): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let current = mode;
  const forward = (from: Socket, to: Socket): void => {
    sockets.add(from);
    if (current === 'held') from.pause();
    from.on('data', (bytes) => {
      if (current === 'open' || current === 'held') to.write(bytes);
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    if (current === 'cut') {
      client.on('error', () => undefined);
      client.destroy();
      return;
    }
    const upstream = connect(port, host);
    forward(client, upstream);
    forward(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    get mode() {
      return current;
    },
    set mode(next) {
      current = next;
      for (const socket of sockets) {
        if (next === 'held') socket.pause();
        else socket.resume();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}
