// What the client costs beside a bare WebSocket: node scripts/bench.mjs [--quick]
//
// By the package's own Node, like scripts/test.mjs; needs the release build of the relay.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = `${root}.package-bench.mjs`;
await build({
  absWorkingDir: root,
  entryPoints: ['bench/throughput.ts'],
  outfile: compiled,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node22',
  // Where the sources find the tree from.
  define: { 'import.meta.url': JSON.stringify(new URL('../tests/support/relay.ts', import.meta.url).href) },
});
try {
  const { status } = spawnSync(`${root}node_modules/.bin/node`, [compiled, ...process.argv.slice(2)], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(compiled, { force: true });
}
