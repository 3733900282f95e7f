import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Browser, type BrowserContext, type Frame, type Page } from 'playwright-core';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Debian's Chromium (scripts/deps installs it), unless CHROMIUM names another. */
export async function launch(ignoreDefaultArgs: string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    ignoreDefaultArgs,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * Serves a blank page and the package's modules as a browser gets them: `/index.js`, `/shared.js`, and
 * the apps of tests/browser/apps.
 */
export class Site {
  private constructor(
    private readonly server: http.Server,
    readonly url: string,
  ) {}

  static async start(): Promise<Site> {
    const { outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: {
        index: 'src/index.ts',
        shared: 'src/shared.ts',
        react: 'tests/browser/apps/react.ts',
        vue: 'tests/browser/apps/vue.ts',
      },
      bundle: true,
      format: 'esm',
      target: 'es2022',
      outdir: 'out',
      write: false,
      define: {
        'process.env.NODE_ENV': '"development"',
        __VUE_OPTIONS_API__: 'true',
        __VUE_PROD_DEVTOOLS__: 'false',
        __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
      },
    });
    const modules = new Map(outputFiles.map(({ path, text }) => [`/${path.split('/').at(-1)}`, text]));
    const server = http.createServer(({ url }, response) => {
      const module = modules.get(url!.split('?')[0]!);
      response.setHeader('access-control-allow-origin', '*'); // a sandboxed frame is of no origin
      response.setHeader('content-type', module ? 'text/javascript' : 'text/html');
      response.end(
        module ??
          '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><div id="app"></div><script>load = (path) => import(path)</script>',
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Site(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  }

  async page(context: BrowserContext): Promise<Page> {
    const page = await context.newPage();
    await page.goto(this.url);
    return page;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** What tests reach a page's client by: `window.relay`, `window.heard`, `window.states`, `window.gaps`. */
export interface ClientWindow {
  /** `import()`, which in a function that vitest compiled would be vitest's. */
  load(path: string): Promise<any>;
  relay: import('../../src/index.js').Relay;
  heard: number[];
  states: string[];
  gaps: unknown[];
  lost: unknown[];
}

/**
 * Connects in the page, with a plain token, and records the ids of `reward.earned`. `shared`: through
 * the entry for many tabs.
 */
export async function connectIn(
  page: Page | Frame,
  options: { url: string; token: string; user: number; cursor?: string; shared?: boolean },
): Promise<void> {
  await page.evaluate(async ({ url, token, user, cursor, shared }) => {
    const w = window as unknown as ClientWindow;
    const module = await w.load(shared ? '/shared.js' : '/index.js');
    const connect = shared ? module.share : module.connect;
    w.relay = connect(url, { token: () => token, user, cursor, backoff: { min: 20, max: 200 } });
    Object.assign(w, { heard: [], states: [], gaps: [], lost: [] });
    w.relay.on('reward.earned', ({ reward }) => w.heard.push(reward.id));
    w.relay.on('gap', (gap) => w.gaps.push(gap));
    w.relay.on('disconnect', (how) => w.lost.push(how));
    w.relay.state.subscribe((state) => w.states.push(state));
  }, options);
}

export const state = (page: Page | Frame): Promise<string> =>
  page.evaluate(() => (window as unknown as ClientWindow).relay.state.value);
export const heard = (page: Page | Frame): Promise<number[]> =>
  page.evaluate(() => (window as unknown as ClientWindow).heard);

/**
 * Puts a page's scripts to sleep, timers and messages included, while its network goes on: as a laptop's
 * lid or a frozen tab does. (DevTools' own freezing does nothing to a page that is visible, and headless
 * ones always are.) Returns what wakes it.
 */
export async function asleep(page: Page): Promise<() => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  await page.evaluate(() => void setInterval(() => {}, 20)); // it stops at the next thing it does
  const paused = new Promise((resolve) => session.once('Debugger.paused', resolve));
  await session.send('Debugger.enable');
  await session.send('Debugger.pause');
  await paused;
  return async () => {
    await session.send('Debugger.resume');
    await session.send('Debugger.disable');
    await session.detach();
  };
}
