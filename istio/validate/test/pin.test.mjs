// istio/pin: what it writes, and what it does not take.

import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {pinnedCopy} from '../render.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'backstop-pin-'));
pinnedCopy(root, scratch);
test.after(() => rmSync(scratch, {recursive: true}));

const pin = (...args) => spawnSync(path.join(root, 'istio/pin'), ['--root', path.join(scratch, 'istio'), ...args], {encoding: 'utf8'});
const images = () => readFileSync(path.join(scratch, 'istio/overlays/prod/environment/images.yaml'), 'utf8');
const digest = `@sha256:${'a'.repeat(64)}`;

test('a digest is written, whether the reference came with oci:// or without, and nothing else changes', () => {
  const before = images().split('\n');
  const {status} = pin('prod', `waf=oci://registry.example.com:5000/backstop/waf${digest}`, `redis=registry.example.com/redis:7${digest}`);
  const after = images().split('\n');
  assert.equal(status, 0);
  assert.deepEqual(
    after.filter((line, at) => line !== before[at]),
    [`  waf: oci://registry.example.com:5000/backstop/waf${digest}`, `  redis: registry.example.com/redis:7${digest}`],
  );
});

test('what is no pin is refused in one line, and nothing is written', () => {
  const before = images();
  for (const [args, reason] of [
    [['prod', 'waf=registry.example.com/backstop/waf:0.1.0'], /expected NAME=REGISTRY\/REPOSITORY@sha256:<64 hex digits>/],
    [['prod', `waf=registry.example.com/backstop/waf${digest}`, `waff=registry.example.com/backstop/waf${digest}`], /no image 'waff'/],
    [['production', `waf=registry.example.com/backstop/waf${digest}`], /no environment 'production'/],
    [['prod', `waf=registry.example.com/backstop/waf${digest}\n  edge: x`], /expected NAME/],
  ]) {
    const {status, stderr} = pin(...args);
    assert.equal(status, 1);
    assert.match(stderr, reason);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
  assert.equal(images(), before);
});
