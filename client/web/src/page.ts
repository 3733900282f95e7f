/** What happens to a page that matters to its connection. */
export interface PageEvents {
  /** The page is back in view, thawed, or the network is: look whether the connection lives. */
  wake(): void;
  /** The network is said to be gone. */
  doubt(): void;
  /** The page goes away: for good, or into the back/forward cache, which takes no open sockets. */
  hide(): void;
  /** It came back from there. */
  show(): void;
}

/** Tells of them until the returned function is called. Does nothing where there is no page. */
export function watchPage(on: PageEvents): () => void {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => {};
  const ended = new AbortController();
  const listen = (target: EventTarget, type: string, listener: () => void) =>
    target.addEventListener(type, listener, { signal: ended.signal });
  listen(window, 'online', on.wake);
  listen(window, 'offline', on.doubt);
  listen(window, 'pagehide', on.hide);
  listen(window, 'pageshow', on.show);
  listen(document, 'resume', on.wake);
  listen(document, 'visibilitychange', () => {
    if (document.visibilityState === 'visible') on.wake();
  });
  return () => ended.abort();
}

export const isOffline = (): boolean => globalThis.navigator?.onLine === false;
