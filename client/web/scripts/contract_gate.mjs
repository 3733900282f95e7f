// Fails if the contract breaks what the last release promised:
//
//   node scripts/contract_gate.mjs [--root directory of the tree] [--tag release]
//
// - the wire: `buf breaking` over proto/;
// - the JSON that clients see, of which protobuf's wire knows nothing (required and optional, allowed
//   values): by TypeScript, over the generated types of both. What the relay sends must be assignable
//   to what it sent; what it takes must accept all that it took, and answer what it answered.
//
// The release is the last tag `v*` unless one is named. With none there is nothing to compare with.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const TYPES = 'client/web/src/generated/contract.ts';

const { values } = parseArgs({ options: { root: { type: 'string' }, tag: { type: 'string' } } });
const root = resolve(values.root ?? here('../../../'));
const tag = values.tag ?? lastRelease();
if (!tag) {
  console.log('contract gate: no release tag (v*) yet, so there is nothing to compare with');
  process.exit(0);
}
const wire = wireBreaks();
const types = typeBreaks();
for (const line of [...wire, ...types]) console.log(line);
console.log(`contract gate, against ${tag}: ${wire.length} breaks of the wire, ${types.length} of the types`);
process.exit(wire.length || types.length ? 1 : 0);

function git(...args) {
  return spawnSync('git', ['-C', root, ...args], { encoding: 'utf8' });
}

function lastRelease() {
  return git('describe', '--tags', '--abbrev=0', '--match', 'v*').stdout.trim();
}

function wireBreaks() {
  // An archive, since buf reads no worktree's `.git`.
  const directory = mkdtempSync(join(tmpdir(), 'contract-gate-'));
  try {
    const was = `${directory}/was.tar`;
    const archived = git('archive', '-o', was, tag, 'proto');
    if (archived.status !== 0) throw new Error(archived.stderr);
    const buf = spawnSync(
      here('../node_modules/.bin/buf'),
      ['breaking', 'proto', '--against', `${was}#subdir=proto`],
      { cwd: root, encoding: 'utf8' },
    );
    if (buf.error) throw buf.error;
    // 100: it compared, and found some.
    if (buf.status !== 0 && buf.status !== 100) throw new Error(`buf breaking: ${buf.stdout}${buf.stderr}`);
    return buf.stdout.split('\n').filter(Boolean);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function typeBreaks() {
  const before = git('show', `${tag}:${TYPES}`);
  if (before.status !== 0) {
    console.log(`contract gate: ${tag} has no ${TYPES}; only the wire is compared`);
    return [];
  }
  const was = before.stdout;
  const is = readFileSync(`${root}/${TYPES}`, 'utf8');
  const breaks = [];
  const checks = []; // one a line, each with what it is about
  for (const event of keys(was, 'EventMap')) {
    if (keys(is, 'EventMap').includes(event)) {
      checks.push([`event ${event}`, `Was.EventMap[${event}]`, `Is.EventMap[${event}]`]);
    } else {
      breaks.push(`event ${event}: is gone`);
    }
  }
  for (const frame of keys(was, 'FrameMap')) {
    if (keys(is, 'FrameMap').includes(frame)) {
      checks.push([`frame ${frame}`, `Was.FrameMap[${frame}]`, `Is.FrameMap[${frame}]`]);
    } else {
      breaks.push(`frame ${frame}: is gone`);
    }
  }
  for (const command of keys(was, 'CommandMap')) {
    if (keys(is, 'CommandMap').includes(command)) {
      const [old, now] = [`Was.CommandMap[${command}]`, `Is.CommandMap[${command}]`];
      checks.push(
        [`data of command ${command}`, `${now}['data']`, `${old}['data']`],
        [`answer of command ${command}`, `${old}['answer']`, `${now}['answer']`],
      );
    } else {
      breaks.push(`command ${command}: is gone`);
    }
  }
  return [...breaks, ...assignable(was, is, checks)];
}

// The keys of an interface, quoted, as scripts/generate.mjs writes them.
function keys(text, name) {
  const body = new RegExp(`^export interface ${name} \\{$(.*?)^\\}$`, 'ms').exec(text)?.[1] ?? '';
  return [...body.matchAll(/^ {2}('[^\n]*?'): /gm)].map(([, key]) => key);
}

function assignable(was, is, checks) {
  const directory = mkdtempSync(here('../.package-gate-'));
  try {
    const head = ["import type * as Was from './was.js';", "import type * as Is from './is.js';"];
    const lines = checks.map(([, to, from], n) => `export const c${n}: ${to} = null! as ${from};`);
    writeFileSync(`${directory}/was.ts`, was);
    writeFileSync(`${directory}/is.ts`, is);
    writeFileSync(`${directory}/check.ts`, [...head, ...lines, ''].join('\n'));
    writeFileSync(
      `${directory}/tsconfig.json`,
      JSON.stringify({
        compilerOptions: {
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          module: 'NodeNext',
          target: 'ES2022',
          lib: ['ES2022'],
          skipLibCheck: true,
          types: [],
        },
        files: ['check.ts'],
      }),
    );
    const tsc = spawnSync(
      process.execPath,
      [here('../node_modules/typescript/bin/tsc'), '-p', directory, '--pretty', 'false'],
      { cwd: directory, encoding: 'utf8' },
    );
    if (tsc.error) throw tsc.error;
    const breaks = [];
    for (const line of tsc.stdout.split('\n').filter(Boolean)) {
      const place = /^check\.ts\((\d+),\d+\): error TS\d+: (.*)$/.exec(line);
      const check = place && checks[Number(place[1]) - head.length - 1];
      if (check) breaks.push(`${check[0]}: ${place[2]}`);
      else if (/^\s/.test(line) && breaks.length) breaks.push(`${breaks.pop()}\n${line}`);
      else throw new Error(`tsc: ${tsc.stdout}`);
    }
    return breaks;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
