// One user's network, with a switch. A browser can't cut one connection of a page: this is a
// WebSocket whose wire can be.

const CLOSED = () => new CloseEvent("close", { code: 1006, wasClean: false });

export class Network {
  #on = true;
  #sockets = new Set();

  constructor() {
    const network = this;
    /** What the client is given as its WebSocket. */
    this.WebSocket = class extends EventTarget {
      static CONNECTING = 0;
      static OPEN = 1;
      static CLOSING = 2;
      static CLOSED = 3;

      #inner = null;
      #gone = false;

      constructor(url, protocols) {
        super();
        this.url = String(url);
        for (const type of ["open", "message", "error", "close"]) {
          this[`on${type}`] = null;
          this.addEventListener(type, (event) => this[`on${type}`]?.(event));
        }
        network.#sockets.add(this);
        if (!network.#on) {
          queueMicrotask(() => this.cut());
          return;
        }
        this.#inner = new WebSocket(url, protocols);
        this.#inner.binaryType = "arraybuffer";
        this.#inner.onopen = () => this.#pass(new Event("open"));
        this.#inner.onerror = () => this.#pass(new Event("error"));
        this.#inner.onmessage = ({ data }) => this.#pass(new MessageEvent("message", { data }));
        this.#inner.onclose = ({ code, reason, wasClean }) => {
          this.#pass(new CloseEvent("close", { code, reason, wasClean }));
          this.#end();
        };
      }

      get readyState() {
        return this.#gone ? 3 : (this.#inner?.readyState ?? 0);
      }
      get protocol() {
        return this.#inner?.protocol ?? "";
      }
      get bufferedAmount() {
        return this.#inner?.bufferedAmount ?? 0;
      }
      send(data) {
        if (!this.#gone) this.#inner?.send(data);
      }
      close(code, reason) {
        this.#inner?.close(code, reason);
        if (!this.#inner) this.cut();
      }

      /** The wire is cut: this side sees it at once, and hears nothing of the other any more. */
      cut() {
        if (this.#gone) return;
        this.#end();
        this.#inner?.close();
        this.dispatchEvent(new Event("error"));
        this.dispatchEvent(CLOSED());
      }

      #end() {
        this.#gone = true;
        network.#sockets.delete(this);
      }
      #pass(event) {
        if (!this.#gone) this.dispatchEvent(event);
      }
    };
  }

  get on() {
    return this.#on;
  }

  set on(on) {
    this.#on = on;
    if (!on) for (const socket of [...this.#sockets]) socket.cut();
  }
}
