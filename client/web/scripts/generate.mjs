// Writes src/generated/contract.ts from the contract that the relay prints:
//
//   node scripts/generate.mjs [path of msab-relay | path of a printed contract, *.json] [output]
//
// Default binary: $MSAB_RELAY_BINARY, else the release build of this tree. What the contract doesn't say
// isn't known here; what is here can't differ from it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The printed contract: an AsyncAPI 3 document. */
export function readContract(source) {
  // Without the settings of this environment: their custom events aren't the package's.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MSAB_')));
  const text = source.endsWith('.json')
    ? readFileSync(source, 'utf8')
    : execFileSync(source, ['--print-contract'], { encoding: 'utf8', env });
  return JSON.parse(text);
}

/** The TypeScript of an AsyncAPI document as msab-relay prints it: of its native dialect. */
export function generate(contract) {
  const { schemas, messages } = contract.components;
  const out = [
    '// Generated from `msab-relay --print-contract` by scripts/generate.mjs. Do not edit.',
    '',
    '/** The contract that these types were made from: its hash. */',
    `export const contractVersion = ${quote(contract.info.version)};`,
  ];
  const sent = named(contract, 'send').map(({ message }) => message);
  const spoken = Object.values(messages).filter((message) => message['x-dialect'] !== 'socketio');
  for (const [key, schema] of Object.entries(schemas)) {
    const frame = Object.values(messages).find(({ payload }) => payload.$ref?.endsWith(`/${key}`));
    if (!frame || spoken.includes(frame)) out.push('', declaration(key, schema));
  }

  // Events of a relay's configuration are not part of the package: declare those by merging.
  const events = sent.filter((message) => !message['x-custom'] && !message['x-frame']);
  out.push(
    '',
    '/**',
    ' * What the relay sends: payloads by event name. Add events of your own by merging:',
    ' *',
    " * `declare module '@msab/client' { interface EventMap { 'App\\\\Events\\\\Ping': {at: number} } }`",
    ' */',
    'export interface EventMap {',
  );
  for (const message of events) {
    out.push(comment([message.description, audience(message)], '  '));
    out.push(`  ${quote(message.name)}: ${typeName(message.payload.$ref)};`);
  }
  out.push('}');
  const ofNoRoom = events.filter((message) => !message['x-audience'].includes('room'));
  out.push(
    '',
    '/** Events that no room hears: they go to users, or to everyone. */',
    `export type NotOfRooms =${union(ofNoRoom.map(({ name }) => quote(name)))};`,
  );

  out.push(
    '',
    '/** What clients may ask: data and answer by command name. */',
    'export interface CommandMap {',
  );
  for (const { message, answer } of named(contract, 'receive')) {
    out.push(comment([message.description], '  '));
    out.push(
      `  ${quote(message.name)}: {data: ${typeName(message.payload.$ref)}; ` +
        `answer: ${typeName(answer.payload.$ref)}};`,
    );
  }
  out.push('}', '', '/** What the relay says about the connection itself. */', 'export interface FrameMap {');
  for (const message of spoken.filter((message) => message['x-frame'])) {
    out.push(comment([message.description], '  '));
    out.push(`  ${quote(message.name)}: ${typeName(message.payload.$ref)};`);
  }
  out.push('}');

  const { 'x-error-codes': errors, 'x-close-codes': closes } = contract.channels.relay;
  const told = errors.map(({ code, description }) => `- \`${code}\`: ${description}`);
  out.push('', comment(['Why the relay refused a command:', told.join('\n')]));
  out.push(`export type RelayErrorCode =${union(errors.map(({ code }) => quote(code)))};`);
  for (const { code, name, retry, description } of closes) {
    out.push('', comment([`${description} Afterwards: ${AFTERWARDS[retry]}.`]));
    out.push(`export const CLOSE_${name} = ${code};`);
  }
  out.push('');
  return out.join('\n');

  function named({ operations, channels }, action) {
    const resolve = (reference) => {
      const inChannel = reference.$ref.split('/').at(-1);
      return messages[channels.relay.messages[inChannel].$ref.split('/').at(-1)];
    };
    return Object.values(operations)
      .filter((operation) => operation.action === action)
      .map((operation) => ({
        message: resolve(operation.messages[0]),
        answer: operation.reply && resolve(operation.reply.messages[0]),
      }));
  }
}

// What a client does about a close code.
const AFTERWARDS = {
  never: 'stay away',
  backoff: 'come back after a random wait, longer each time',
  told: 'come back when told',
  'new-token': 'come back with a new token',
};

function audience(message) {
  const by = message['x-target-from'] ? `, named by \`${message['x-target-from']}\`` : '';
  return `Audience: ${message['x-audience'].join(', ')}${by}. Class: ${message['x-class']}.`;
}

function declaration(key, schema) {
  const name = key.replaceAll('.', '');
  const fields = Object.entries(schema.properties ?? {});
  const required = new Set(schema.required ?? []);
  const text = comment([schema.description]);
  const head = text ? `${text}\n` : '';
  if (!schema.oneOf) {
    const body = members(fields, required);
    if (schema.additionalProperties) body.push('  [claim: string]: unknown;');
    return body.length
      ? `${head}export interface ${name} {\n${body.join('\n')}\n}`
      : `${head}export type ${name} = Record<string, never>;`;
  }
  // Exactly one of these: the others must not be there.
  const choices = schema.oneOf.map((choice) => choice.required[0]);
  const common = members(
    fields.filter(([field]) => !choices.includes(field)),
    required,
  );
  const variants = choices.map((choice) => {
    const lines = fields
      .filter(([field]) => choices.includes(field))
      .map(([field, rule]) =>
        field === choice
          ? members([[field, rule]], new Set([field]), '      ').join('\n')
          : `      ${property(field)}?: never;`,
      );
    return `  | {\n${lines.join('\n')}\n    }`;
  });
  return `${head}export type ${name} = {\n${common.join('\n')}\n} & (\n${variants.join('\n')}\n);`;
}

function members(fields, required, indent = '  ') {
  return fields.flatMap(([field, schema]) => {
    const text = comment([schema.description, limits(schema)], indent);
    const line = `${indent}${property(field)}${required.has(field) ? '' : '?'}: ${typeOf(schema)};`;
    return text ? [text, line] : [line];
  });
}

// What a type can't say.
function limits(schema) {
  const of = schema.items ?? schema;
  const parts = [];
  if (of['x-format'] === 'decimal') parts.push('A decimal number as text.');
  if (schema.minItems !== undefined || schema.maxItems !== undefined) {
    parts.push(`${range(schema.minItems, schema.maxItems)} items.`);
  }
  if (schema.default !== undefined) parts.push(`Default: ${JSON.stringify(schema.default)}.`);
  if (of.type === 'integer' && !of['x-format'] && of.maximum < 2 ** 31 - 1) {
    parts.push(`${of.minimum} to ${of.maximum}.`);
  }
  const size = of['x-format'] || of.enum ? undefined : (of['x-max-bytes'] ?? of.maxLength);
  if (size !== undefined) {
    parts.push(`At most ${size.toLocaleString('en')} ${of['x-max-bytes'] ? 'bytes' : 'characters'}.`);
  }
  return parts.join(' ');
}

function range(least, most) {
  if (most === undefined) return `At least ${least}`;
  return `${least ?? 0} to ${most.toLocaleString('en')}`;
}

function typeOf(schema) {
  if (schema.allOf) return typeOf(schema.allOf[0]);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.$ref) return typeName(schema.$ref);
  if (!schema.type) return 'unknown';
  if (schema.enum) return schema.enum.map((value) => (value === null ? 'null' : quote(value))).join(' | ');
  if (schema.type === 'array') {
    const item = typeOf(schema.items);
    return item.includes('|') ? `(${item})[]` : `${item}[]`;
  }
  return [schema.type]
    .flat()
    .map((type) => {
      const known = {
        string: 'string',
        integer: 'number',
        number: 'number',
        boolean: 'boolean',
        null: 'null',
        object: 'Record<string, unknown>',
      }[type];
      if (!known) throw new Error(`a type that no TypeScript is known for: ${JSON.stringify(schema)}`);
      return known;
    })
    .join(' | ');
}

const typeName = (reference) => (reference.$ref ?? reference).split('/').at(-1).replaceAll('.', '');
const property = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name));
const quote = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const union = (names) => names.map((name) => `\n  | ${name}`).join('') || ' never';

function comment(parts, indent = '') {
  const text = parts.filter(Boolean).join('\n\n').replaceAll('*/', '*\u200b/');
  if (!text) return '';
  const lines = text.split('\n').flatMap((line) => wrap(line, 96 - indent.length));
  if (lines.length === 1) return `${indent}/** ${lines[0]} */`;
  return [`${indent}/**`, ...lines.map((line) => `${indent} *${line && ` ${line}`}`), `${indent} */`].join(
    '\n',
  );
}

function wrap(line, width) {
  const lines = [''];
  for (const word of line.split(' ')) {
    const last = lines.at(-1);
    if (last && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const source =
    process.argv[2] ?? process.env.MSAB_RELAY_BINARY ?? here('../../../build/release/msab-relay');
  writeFileSync(process.argv[3] ?? here('../src/generated/contract.ts'), generate(readContract(source)));
}
