import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// The package as it is published, in an application that uses it.
const root = fileURLToPath(new URL('../../', import.meta.url));
let application: string;
let printed: string;

beforeAll(() => {
  application = mkdtempSync(`${root}.package-`); // here, so that react and vue are found above it
  const installed = `${application}/node_modules/@msab/client`;
  mkdirSync(installed, { recursive: true });
  printed = execFileSync(process.execPath, ['scripts/build.mjs', `${installed}/dist`], {
    cwd: root,
    encoding: 'utf8',
  });
  cpSync(`${root}package.json`, `${installed}/package.json`);
  writeFileSync(`${application}/package.json`, '{"type": "module"}');
  cpSync(`${root}tests/types`, `${application}/src`, { recursive: true });
});
afterAll(() => rmSync(application, { recursive: true, force: true }));

test('the core weighs at most 6 KiB, minified and gzipped', () => {
  console.log(printed.trim());
  expect(Number(/(\d+) gzipped/.exec(printed)![1])).toBeLessThanOrEqual(6 * 1024);
});

describe.each(['NodeNext', 'Bundler'])('types, found as %s', (resolution) => {
  test.each(['src', 'src/merging'])('%s', (directory) => {
    const config = {
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        target: 'ES2022',
        lib: ['ES2023', 'DOM'],
        types: [],
        module: resolution === 'Bundler' ? 'Preserve' : 'NodeNext',
        moduleResolution: resolution,
      },
      include: [`${directory}/*.ts`],
    };
    writeFileSync(`${application}/tsconfig.json`, JSON.stringify(config));
    expect(run(`${root}node_modules/typescript/bin/tsc`, '-p', '.')).toBe('');
  });
});

describe('on a server that renders pages', () => {
  test('import and connect do nothing where there are no WebSockets, and the program ends', () => {
    writeFileSync(
      `${application}/bare.js`,
      `delete globalThis.WebSocket;
       const { connect } = await import('@msab/client');
       const { share } = await import('@msab/client/shared');
       for (const relay of [connect('/ws', { token }), share('/ws', { token, user: 42 })]) {
         relay.on('balance.updated', () => {});
         relay.join(42).on('chat:message', () => {});
         console.log(relay.state.value);
       }
       function token() { throw new Error('was asked for') }`,
    );
    expect(run('bare.js')).toBe('connecting\nconnecting\n');
  });

  test('open: false opens nothing', () => {
    writeFileSync(
      `${application}/closed.js`,
      `import { connect } from '@msab/client';
       console.log(connect('/ws', { token: 'jwt', open: false }).state.value);`,
    );
    expect(run('closed.js')).toBe('closed\n');
  });

  test('the helpers of React and Vue render, and open nothing', () => {
    writeFileSync(
      `${application}/render.js`,
      `import { createElement as h } from 'react';
       import { renderToString } from 'react-dom/server';
       import { createSSRApp, h as vh } from 'vue';
       import { renderToString as renderVue } from 'vue/server-renderer';
       import { connect } from '@msab/client';
       import * as react from '@msab/client/react';
       import * as vue from '@msab/client/vue';
       globalThis.WebSocket = class { constructor() { throw new Error('opened'); } };
       const options = { token() { throw new Error('was asked for'); } };
       function State() { return h('p', null, react.useRelayState() + react.useRoom(42).participants.length); }
       function App() { return h(react.RelayProvider, { relay: react.useRelay('/ws', options) }, h(State)); }
       console.log(renderToString(h(App)));
       const app = createSSRApp({ setup() {
         const state = vue.useRelayState();
         const { participants } = vue.useRoom(42);
         vue.useRelayEvent('balance.updated', () => {});
         return () => vh('p', state.value + participants.value.length);
       } });
       console.log(await renderVue(app.use(vue.relayPlugin('/ws', options))));
       const own = connect('/ws', { ...options, open: false });
       const Given = { setup: () => () => vh('p', String(vue.useRelay() === own)) };
       console.log(await renderVue(createSSRApp(Given).use(vue.relayPlugin(own))));`,
    );
    expect(run('render.js')).toBe('<p>closed0</p>\n<p>closed0</p>\n<p>true</p>\n');
  });
});

/** What a program of Node prints; fails if that is an error, or if it doesn't end. */
function run(...args: string[]): string {
  try {
    return execFileSync(process.execPath, args, { cwd: application, encoding: 'utf8', timeout: 150_000 });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${args.join(' ')}\n${stdout}${stderr}`);
  }
}

test('sources are formatted (else: npm run format)', () => {
  execFileSync(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--check', '.'], { cwd: root });
});

test('the tests themselves fit their types', () => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tests'], { cwd: root });
});

test('what is packed is what the package names, with its licence, and no more', () => {
  const installed = `${application}/node_modules/@msab/client`;
  for (const file of ['LICENSE', 'README.md']) cpSync(`${root}${file}`, `${installed}/${file}`);
  const printed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: installed,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(printed) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  const { exports, main, types } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    main: string;
    types: string;
    exports: Record<string, string | Record<string, string>>;
  };
  const named = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values(target),
  );
  for (const file of [main, types, ...named]) expect(paths).toContain(file.slice('./'.length));
  for (const file of ['LICENSE', 'README.md']) expect(paths).toContain(file);
  expect(paths.filter((path) => !/^(dist\/.*|LICENSE|README\.md|package\.json)$/.test(path))).toEqual([]);
  expect(readFileSync(`${root}LICENSE`, 'utf8')).toBe(readFileSync(`${root}../../LICENSE`, 'utf8'));
});

test('server components of React are told that the hooks are for the browser', () => {
  const built = readFileSync(`${application}/node_modules/@msab/client/dist/react.js`, 'utf8');
  expect(built).toMatch(/^["']use client["'];/);
});
