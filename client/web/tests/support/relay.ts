import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The binary under test: what scripts/test built, unless MSAB_RELAY_BINARY names another. */
export const RELAY_BINARY =
  process.env['MSAB_RELAY_BINARY'] ??
  fileURLToPath(new URL('../../../../build/release/msab-relay', import.meta.url));

const API_KEY = 'test-key';
const SECRET = 'a-secret-for-tests-only-32-bytes-long';

export const printContract = (): string =>
  execFileSync(RELAY_BINARY, ['--print-contract'], { encoding: 'utf8', env: cleanEnvironment() });

export interface EmitAnswer {
  event_id: string;
  cursor: string;
  duplicate: boolean;
  recipients: { users_targeted: number; users_online: number; connections: number };
}

/** A real relay, a process of its own on ports that the kernel chose; a restart keeps them. */
export class RelayProcess {
  private child: ChildProcess | undefined;
  private log = '';
  ws = '127.0.0.1:0';
  http = '127.0.0.1:0';
  private grpc = '127.0.0.1:0';

  private constructor(private readonly settings: Record<string, string>) {}

  /** `settings`: keys as in the configuration file, such as `ws.ping_interval`. */
  static async start(settings: Record<string, string> = {}): Promise<RelayProcess> {
    const relay = new RelayProcess(settings);
    await relay.start();
    return relay;
  }

  get url(): string {
    return `ws://${this.ws}/ws`;
  }

  async start(): Promise<void> {
    const env: NodeJS.ProcessEnv = {
      ...cleanEnvironment(),
      MSAB_API_KEYS: `laravel:${API_KEY}`,
      MSAB_JWT_SECRETS: SECRET,
      MSAB_ALLOWED_ORIGINS: '*,null', // null: a sandboxed frame
      MSAB_WS_LISTEN: this.ws,
      MSAB_HTTP_LISTEN: this.http,
      MSAB_GRPC_LISTEN: this.grpc,
    };
    for (const [key, value] of Object.entries(this.settings)) {
      env[`MSAB_${key.toUpperCase().replaceAll('.', '_')}`] = value;
    }
    const child = (this.child = spawn(RELAY_BINARY, [], { env, stdio: ['ignore', 'ignore', 'pipe'] }));
    this.log = '';
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the relay ended with ${code}:\n${this.log}`)));
      child.stderr!.on('data', (data) => {
        this.log += data;
        const started = /relay started.* ws=(\S+) http=(\S+) grpc=(\S+)/.exec(this.log);
        if (!started) return;
        [, this.ws, this.http, this.grpc] = started as unknown as [string, string, string, string];
        resolve();
      });
    });
  }

  /** Gone without a word, as in a crash. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Drains and ends. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** Begins to drain. */
  drain(): void {
    this.child?.kill('SIGTERM');
  }

  async exited(): Promise<void> {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
      await once(this.child, 'exit');
    }
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.child?.kill(signal);
    await this.exited();
  }

  /** Emits through the JSON twin; throws on any refusal. */
  async emit(event: object): Promise<EmitAnswer> {
    return (await this.post('/v1/events:emit', event)) as EmitAnswer;
  }

  /** Emits up to 1,000; throws if any is refused. */
  async emitBatch(events: object[]): Promise<void> {
    const { results } = (await this.post('/v1/events:emitBatch', { events })) as {
      results: { error?: unknown }[];
    };
    const refused = results.find(({ error }) => error);
    if (refused) throw new Error(JSON.stringify(refused.error));
  }

  async cursor(): Promise<string> {
    return ((await this.post('/v1/cursor')) as { cursor: string }).cursor;
  }

  /** A metric's sum over the series whose labels contain `labels`. */
  async metric(name: string, labels = ''): Promise<number> {
    const text = await (await fetch(`http://${this.http}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line.split(/[{ ]/)[0] === name && line.includes(labels));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  private async post(path: string, body?: object): Promise<unknown> {
    const response = await fetch(`http://${this.http}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
}

/** A token as Laravel would sign it; `ttl` in seconds. */
export function token(user: number, ttl = 3600, claims: object = { name: `User ${user}` }): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: String(user), iat: now, exp: now + ttl, ...claims })}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}

// This process's environment without settings of the relay, but the number of shards.
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('MSAB_') || name === 'MSAB_SHARDS'),
  );
}
