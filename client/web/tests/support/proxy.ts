import net from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * A TCP proxy that a test breaks as networks do: `cut` (connections reset), `freeze` (half-open:
 * nothing passes, nothing is said), `refuse` (new connections are reset at once), `delay`.
 */
export class Proxy {
  private readonly server = net.createServer((client) => this.accept(client));
  private readonly pairs = new Set<[net.Socket, net.Socket]>();
  /** Connections accepted so far. */
  accepted = 0;
  refusing = false;
  /** Times that a client said something: each costs it a way to the relay. */
  said = 0;
  /** ms that bytes of the relay wait here. */
  delay = 0;
  private frozen = false;

  private constructor(private readonly target: string) {}

  static async start(target: string): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}/ws`;
  }

  get open(): number {
    return this.pairs.size;
  }

  cut(): void {
    for (const pair of this.pairs) for (const socket of pair) socket.resetAndDestroy();
    this.pairs.clear();
  }

  /** Connections of now go silent and stay so; later ones work. */
  freeze(): void {
    for (const pair of this.pairs) {
      for (const socket of pair) {
        socket.pause();
        socket.removeAllListeners('data');
      }
    }
  }

  /** Connections of now and later go silent, until `thaw`. */
  freezeAll(): void {
    this.frozen = true;
    this.freeze();
  }
  thaw(): void {
    this.frozen = false;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private accept(client: net.Socket): void {
    this.accepted++;
    client.on('error', () => {});
    if (this.refusing) return void client.resetAndDestroy();
    if (this.frozen) return void client.pause();
    const [host, port] = this.target.split(':') as [string, string];
    const relay = net.connect(Number(port), host);
    const pair: [net.Socket, net.Socket] = [client, relay];
    this.pairs.add(pair);
    for (const [from, to] of [pair, [relay, client] as const]) {
      from.setNoDelay(true);
      from.on('error', () => {});
      from.on('data', (data) => {
        if (from === client) this.said++;
        if (!this.delay || from === client) to.write(data);
        else setTimeout(() => to.write(data), this.delay);
      });
      from.on('close', () => {
        this.pairs.delete(pair);
        // After what still waits here.
        if (this.delay && from === relay) setTimeout(() => to.destroy(), this.delay + 1);
        else to.destroy();
      });
    }
  }
}
