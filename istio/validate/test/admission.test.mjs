// The admission policies, their expressions evaluated by a CEL interpreter. What is not run: a cluster, and Kyverno itself.

import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {refusals} from '../admission.mjs';
import {OVERLAYS, documents, kustomize, pinnedCopy} from '../render.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const read = (name) => documents(readFileSync(path.join(root, 'istio/policies', name), 'utf8'));
const policies = read('admission.yaml').filter(({kind}) => kind === 'ValidatingAdmissionPolicy');
const said = (object) => policies.flatMap((policy) => refusals(policy, object));

const digest = `@sha256:${'a'.repeat(64)}`;
const plugin = (spec, kind = 'WasmPlugin') => ({apiVersion: 'extensions.istio.io/v1alpha1', kind, metadata: {name: 'a', namespace: 'istio-ingress'}, spec});
const workload = (images, namespace = 'backstop', init) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name: 'a', namespace},
  spec: {template: {spec: {containers: images.map((image) => ({image})), ...(init && {initContainers: [{image: init}]})}}},
});

const PINNED = 'a module is pinned by its digest: oci://REGISTRY/REPOSITORY@sha256:…';
const MODULES_FROM = 'modules come from oci://registry.example.com/backstop/';
const IMAGES_FROM = 'images come from registry.example.com';
const IMAGE_PINNED = 'an image is pinned by its digest: REGISTRY/REPOSITORY@sha256:…';
const ours = `oci://registry.example.com/backstop/waf${digest}`;

test('modules', () => {
  for (const [spec, expected, kind] of [
    [{url: ours, failStrategy: 'FAIL_RELOAD'}, []],
    [{url: ours}, []],
    [{url: 'oci://registry.example.com/backstop/waf:1.0.0'}, [PINNED]],
    [{url: `oci://registry.example.com/backstop/waf:1.0.0${digest.slice(0, -1)}`}, [PINNED]],
    [{url: `oci://registry.example.com/backstop/waf${digest}0`}, [PINNED]],
    [{url: `oci://registry.example.com.evil.example/backstop/waf${digest}`}, [MODULES_FROM]],
    [{url: `https://registry.example.com/backstop/waf${digest}`}, [MODULES_FROM]],
    [{url: ours, failStrategy: 'FAIL_OPEN'}, ['FAIL_OPEN lets requests pass unseen once the VM failed: FAIL_RELOAD']],
    [{wasm: {url: ours}}, [], 'TrafficExtension'],
    [{wasm: {url: 'oci://docker.io/waf:latest'}}, [PINNED, MODULES_FROM], 'TrafficExtension'],
    [{lua: {inlineCode: ''}}, [], 'TrafficExtension'],
  ]) {
    assert.deepEqual(said(plugin(spec, kind)), expected, JSON.stringify(spec));
  }
});

test('images', () => {
  const good = `registry.example.com/mirror/library/redis${digest}`;
  for (const [object, expected] of [
    [workload([good]), []],
    [workload([good, 'registry.example.com/mirror/library/redis:7']), [IMAGE_PINNED]],
    [workload([good], 'backstop', 'busybox'), [IMAGE_PINNED, IMAGES_FROM]],
    [workload([`docker.io/library/redis${digest}`]), [IMAGES_FROM]],
    [workload(['busybox'], 'tickets'), []],
  ]) {
    assert.deepEqual(said(object), expected, JSON.stringify(object.spec));
  }
});

test('what the overlays render is admitted once its images are pinned, and not before', () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'backstop-admission-'));
  pinnedCopy(root, scratch);
  const reasons = (folder, overlay) => documents(kustomize(path.join(folder, 'istio/overlays', overlay))).flatMap(said);
  for (const overlay of OVERLAYS) {
    assert.deepEqual(reasons(scratch, overlay), []);
    assert.equal(reasons(root, overlay).length, overlay === 'dev' ? 2 : 6);
  }
  rmSync(scratch, {recursive: true});
});

test("Kyverno's policies say what the admission policies say, to the letter", () => {
  const rules = read('kyverno.yaml').map(({metadata, spec}) => [metadata.name, spec.rules.length, spec.rules[0].validate.cel]);
  const expected = policies.map(({metadata, spec}) => [metadata.name, 1, {variables: spec.variables, expressions: spec.validations}]);
  assert.deepEqual(rules, expected);
});

test('each binding denies', () => {
  const bindings = read('admission.yaml').filter(({kind}) => kind === 'ValidatingAdmissionPolicyBinding');
  assert.deepEqual(bindings.map(({spec}) => [spec.policyName, spec.validationActions]), policies.map(({metadata}) => [metadata.name, ['Deny']]));
});
