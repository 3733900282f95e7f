/** A cursor's parts, `"<epoch>-<sequence>"`; `undefined` if it isn't one. */
export function parseCursor(text: string): { epoch: string; sequence: number } | undefined {
  const dash = text.indexOf('-');
  const sequence = Number(text.slice(dash + 1));
  return dash > 0 && sequence >= 0 ? { epoch: text.slice(0, dash), sequence } : undefined;
}

/**
 * Whether `a` lies after `b`, of the same epoch. Decimal numbers of one length, without leading zeros,
 * compare as their texts do: nothing is parsed for each event.
 */
export const isAfter = (a: string, b: string): boolean =>
  a.length > b.length || (a.length === b.length && a > b);

/** What a cursor is kept in across reloads: `sessionStorage`, `localStorage`, or your own. */
export interface CursorStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/**
 * Keeps a cursor across reloads, bound to its user: another one's is never used. Writes at most once
 * a second, and when told to flush. A storage that fails (private mode, quota) is as good as none.
 */
export class CursorKeeper {
  private timer: ReturnType<typeof setTimeout> | undefined;
  constructor(
    private readonly storage: CursorStorage,
    private readonly key: string,
    private readonly current: () => { user: number; cursor: string } | undefined,
  ) {}

  load(user: number | undefined): string | undefined {
    try {
      const kept = JSON.parse(this.storage.getItem(this.key) ?? 'null');
      return kept && user !== undefined && kept.user === user ? String(kept.cursor) : undefined;
    } catch {
      return undefined;
    }
  }

  /** The cursor moved. */
  touch(): void {
    this.timer ??= setTimeout(() => this.flush(), 1_000);
  }

  flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const kept = this.current();
    try {
      if (kept) this.storage.setItem(this.key, JSON.stringify(kept));
    } catch {
      // As good as none.
    }
  }
}
