/** What a token is wanted for. */
export interface TokenRequest {
  /** `connect`: none is at hand. `renew`: the one in use ends soon. `refused`: the relay refused it. */
  reason: 'connect' | 'renew' | 'refused';
  /** Aborted when it is no longer wanted. */
  signal: AbortSignal;
}

/** A token, or what fetches one. A plain string can't be renewed: the relay ends with it. */
export type TokenSource = string | ((request: TokenRequest) => string | Promise<string>);

const FETCH_LIMIT = 30_000;

/**
 * The token in use. It is used again for the next attempt while it is good for some time yet, so that a
 * relay that is away or restarts isn't a storm on the application that signs tokens.
 */
export class Token {
  private current: string | undefined;
  /** ms since 1970: what the relay said of `current`, and before that, what it says itself. */
  private expiresAt = 0;
  private refusal = false;
  constructor(private readonly source: () => TokenSource) {}

  get renewable(): boolean {
    return typeof this.source() === 'function';
  }

  /** Whether `get` would hand out one that was used before. */
  get reusable(): boolean {
    return this.current !== undefined && this.expiresAt - Date.now() > 10_000;
  }

  /** Rejects when the source does, or gives nothing usable, or takes longer than 30 s. */
  async get(signal: AbortSignal): Promise<string> {
    if (this.reusable) return this.current!;
    const refused = this.refusal ? this.current : undefined;
    const token = await this.fetch(this.refusal ? 'refused' : 'connect', signal);
    if (token === refused) throw new Error('token() gave the token again that the relay refused');
    this.refusal = false;
    this.expiresAt = Number(claimsOf(token)?.exp) * 1_000 || 0;
    return (this.current = token);
  }

  async fetch(reason: TokenRequest['reason'], signal: AbortSignal): Promise<string> {
    const source = this.source();
    if (typeof source === 'string') return source;
    const ended = new AbortController();
    const end = () => ended.abort(signal.reason);
    signal.addEventListener('abort', end);
    const timer = setTimeout(() => ended.abort(new Error('token() took longer than 30 s')), FETCH_LIMIT);
    try {
      const token = await Promise.race([
        source({ reason, signal: ended.signal }),
        new Promise<never>((_, reject) =>
          ended.signal.addEventListener('abort', () => reject(ended.signal.reason)),
        ),
      ]);
      if (typeof token !== 'string' || !/^[\w.-]+$/.test(token)) {
        throw new TypeError('token() gave no JWT');
      }
      return token;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }

  /** The relay took it. */
  accepted(token: string, expiresAt: number): void {
    this.current = token;
    this.expiresAt = expiresAt;
  }

  /** The relay didn't, or does no longer. */
  refused(): void {
    this.expiresAt = 0;
    this.refusal = true;
  }

  /** ms until a new one should be fetched; `undefined` if that can't be, or is too late. */
  renewIn(): number | undefined {
    const left = this.expiresAt - Date.now();
    if (!this.renewable || left < 1_000) return undefined;
    // Early by a fifth, at most a minute; and never all clients of one deploy in the same second.
    const early = Math.min(60_000, left / 5) * (1 + Math.random() / 4);
    // A longer timer would fire at once.
    return Math.min(left - early, 2 ** 31 - 1);
  }
}

/** The user that a token names (`sub`, else `id`), unchecked; `undefined` if it can't be read. */
export function userOf(token: string): number | undefined {
  const claims = claimsOf(token);
  const user = Number(claims?.sub ?? claims?.id);
  return user >= 1 ? user : undefined;
}

function claimsOf(token: string): { sub?: unknown; id?: unknown; exp?: unknown } | undefined {
  try {
    return JSON.parse(atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/')));
  } catch {
    return undefined;
  }
}
