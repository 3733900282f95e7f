// Builds dist/: an ES module for each entry, their types, and the core alone as one minified file
// for pages without a bundler (dist/msab-client.min.js). Prints what the core weighs.
//
//   node scripts/build.mjs [directory instead of dist]
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const out = process.argv[2] ? resolve(process.argv[2]) : 'dist';
process.chdir(fileURLToPath(new URL('..', import.meta.url)));
rmSync(out, { recursive: true, force: true });

const common = { bundle: true, format: 'esm', target: 'es2022', logLevel: 'warning', legalComments: 'none' };
const entries = ['index', 'shared', 'vue', 'react'].map((name) => `src/${name}.ts`).filter(existsSync);
await build({
  ...common,
  entryPoints: entries,
  outdir: out,
  splitting: true,
  sourcemap: true,
  packages: 'external',
  chunkNames: 'chunk-[hash]',
});
await build({ ...common, entryPoints: ['src/index.ts'], outfile: `${out}/msab-client.min.js`, minify: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.', '--outDir', out], {
  stdio: 'inherit',
});

const core = readFileSync(`${out}/msab-client.min.js`);
console.log(`core: ${core.length} bytes minified, ${gzipSync(core, { level: 9 }).length} gzipped`);
