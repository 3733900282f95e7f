import type { ServerFrame } from '../../src/frames.js';
import type { Welcome } from '../../src/index.js';

/** A WebSocket without a network: the test is the relay. */
export class FakeSocket {
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.all.at(-1)!;
  }
  static get open(): FakeSocket[] {
    return FakeSocket.all.filter(({ closed }) => !closed);
  }

  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  sent: { id: number; event: string; data?: any }[] = [];
  closed = false;

  constructor(
    readonly url: URL,
    readonly protocols: string[],
  ) {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }

  receive(frame: ServerFrame | { event: string; data: unknown; cursor?: string }): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  /** Ends the connection from the relay's side. */
  end(code: number, reason = ''): void {
    this.closed = true;
    this.onclose?.({ code, reason });
  }
  welcome(welcome: Partial<Welcome> = {}): void {
    const data = {
      connectionId: 'c1',
      userId: 42,
      cursor: 'e-10',
      recovered: null,
      missed: 0,
      rooms: [],
      pingInterval: 25_000,
      tokenExpiresAt: Date.now() + 3_600_000,
      ...welcome,
    };
    this.receive({ event: 'welcome', data });
    this.receive({ event: 'live', cursor: data.cursor });
  }
}
