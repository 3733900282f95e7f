// Runs the tests: node scripts/test.mjs [unit|node|browser] [flags of vitest]
//
// By the package's own Node (a development dependency): Vitest, and the WebSocket that the client uses
// in Node, want one that is newer than some systems have.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [suite, ...flags] = process.argv.slice(2);
const { status, error } = spawnSync(
  `${root}node_modules/.bin/node`,
  ['node_modules/vitest/vitest.mjs', 'run', ...(suite ? [`tests/${suite}/`] : []), ...flags],
  { cwd: root, stdio: 'inherit', env: { ...process.env, NO_COLOR: '1' } },
);
if (error) console.error(`${error.message}: run scripts/deps test, or npm ci, first`);
process.exit(status ?? 1);
