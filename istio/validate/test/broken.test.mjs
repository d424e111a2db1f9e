// Every broken manifest is refused in exactly the line that its first comment says.

import assert from 'node:assert/strict';
import {readFileSync, readdirSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {alone} from '../judge.mjs';
import {documents} from '../render.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const folder = path.join(import.meta.dirname, '../broken');
const {BACKSTOP, MODULES} = process.env;
const tools = BACKSTOP && {backstop: BACKSTOP, modules: MODULES ?? path.join(root, 'target/modules'), scratch: path.join(tmpdir(), `backstop-broken-${process.pid}`), started: new Map()};

for (const name of readdirSync(folder)) {
  const text = readFileSync(path.join(folder, name), 'utf8');
  const expected = /^# refused: (.*)\n/.exec(text)[1];
  // What only the filter itself refuses needs the filter.
  const skip = name === 'configuration-start.yaml' && !tools ? 'no BACKSTOP' : false;
  test(`${name} is refused`, {skip}, async () => {
    const {lines} = await alone(root, documents(text), tools);
    assert.deepEqual(lines, [expected]);
  });
}
