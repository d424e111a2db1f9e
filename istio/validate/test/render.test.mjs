// What is wrong with a set as a whole, or before there is one.

import assert from 'node:assert/strict';
import {appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import test from 'node:test';
import YAML from 'yaml';
import * as envoy from '../envoy.mjs';
import {alone, together} from '../judge.mjs';
import {ofManifests} from '../plugins.mjs';
import {OVERLAYS, documents, kustomize, pinnedCopy} from '../render.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const scratch = mkdtempSync(path.join(tmpdir(), 'backstop-manifests-'));
const overlays = path.join(scratch, 'istio/overlays');
const {ENVOY_BIN, MODULES = path.join(root, 'target/modules')} = process.env;

test.beforeEach(() => pinnedCopy(root, scratch));
test.after(() => rmSync(scratch, {recursive: true}));

const edit = (file, change) => writeFileSync(path.join(scratch, file), change(readFileSync(path.join(scratch, file), 'utf8')));
const rendered = (overlay) => documents(kustomize(path.join(overlays, overlay)));

test('an overlay whose images are not pinned is refused, an image a line', async () => {
  for (const overlay of OVERLAYS) {
    const {lines} = await alone(root, documents(kustomize(path.join(root, 'istio/overlays', overlay))));
    assert.equal(lines.length, overlay === 'dev' ? 2 : 6, lines.join('\n'));
    assert.ok(lines.every((line) => line.endsWith('is not pinned by a digest: istio/pin writes it')), lines.join('\n'));
  }
});

test('a component without its section does not render', () => {
  edit('istio/overlays/dev/kustomization.yaml', (text) => text.replace('../../components/waf\n', '../../components/waf\n  - ../../components/rate-limit\n'));
  assert.throws(() => rendered('dev'), /fieldPath `filters\.rateLimit` is missing for replacement source GatewayValues/);
});

test('a cluster that no service stands behind is refused', () => {
  edit('istio/base/values.yaml', (text) => text.replace('outbound|8081||ratelimit.', 'outbound|8081||ratelimits.'));
  assert.deepEqual(together(rendered('prod')), ['backstop-rate-limit: globalLimits.cluster: ratelimits.backstop.svc.cluster.local is no Service and no ServiceEntry of these manifests']);
});

test('a cluster that is not HTTP/2 is refused', () => {
  edit('istio/components/call-outs/ext-authz-adapter.yaml', (text) => text.replace(', appProtocol: grpc}', ', appProtocol: http}'));
  assert.deepEqual(together(rendered('dev')), [
    'backstop-ext-authz: service.grpc.cluster: port 50051 of ext-authz-adapter.backstop.svc.cluster.local is not gRPC (appProtocol: grpc), so Envoy would speak HTTP/1.1',
  ]);
});

test('a cluster that the gateway would drop is refused', () => {
  edit('istio/components/call-outs/kustomization.yaml', (text) => text.replace('  - keep-cluster.yaml\n', ''));
  const host = 'ext-authz-adapter.backstop.svc.cluster.local';
  const reason = `no VirtualService of the gateway names ${host}: PILOT_FILTER_GATEWAY_CLUSTER_CONFIG would take the cluster away`;
  assert.deepEqual(together(rendered('dev')), [
    `backstop-waf: blockList.notify.cluster: ${reason}`,
    `backstop-ext-authz: service.grpc.cluster: ${reason}`,
    `backstop-ext-authz: blockList.notify.cluster: ${reason}`,
  ]);
});

test('a descriptor that the service has no limit for is refused', () => {
  edit('istio/components/rate-limit-service/limits.yaml', (text) => text.replace('value: seat-hold', 'value: seat-holds'));
  assert.deepEqual(together(rendered('staging')), ['backstop-rate-limit: globalLimits: descriptors[4] (action=seat-hold, remote_address) has no limit in limits.yaml']);
});

test('two plugins at one priority are refused', () => {
  edit('istio/components/waf/wasmplugin.yaml', (text) => text.replace('priority: 200', 'priority: 300'));
  assert.deepEqual(together(rendered('prod')), ['plugins: two have AUTHN 300: their order would be that of their creation']);
});

test('a manifest that is there twice is refused', () => {
  assert.deepEqual(together([...rendered('dev'), {apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'backstop'}}]), ['v1 Namespace  backstop: is there twice']);
});

test('what is no YAML is refused in one line', () => {
  appendFileSync(path.join(scratch, 'istio/components/waf/wasmplugin.yaml'), '  pluginConfig: {\n');
  assert.throws(() => rendered('prod'), (error) => !error.message.includes('\n') && /wasmplugin\.yaml/.test(error.message));
});

test("an envoy.yaml with a mistake is refused by Envoy's own word, in one line", {skip: ENVOY_BIN ? false : 'no ENVOY_BIN'}, () => {
  const text = readFileSync(path.join(root, 'envoy/envoy.yaml'), 'utf8');
  const said = (from, to) => {
    assert.ok(text.includes(from));
    return envoy.refusal(ENVOY_BIN, text.replace(from, to), MODULES, scratch);
  };
  assert.match(said('use_remote_address', 'use_remote_adress'), /'use_remote_adress'\) has unknown fields$/);
  assert.match(said('cluster: app', 'cluster: apq'), /unknown cluster 'apq'$/);
  assert.equal(said('"mode": "block"', '"mode": "blok"'), 'wasm log edge: edge config: $.waf.mode: unknown variant `blok`, expected `block` or `detect`');
});

test("an EnvoyFilter whose filter Envoy does not know is refused by Envoy's own word", {skip: ENVOY_BIN ? false : 'no ENVOY_BIN'}, () => {
  const text = readFileSync(path.join(root, 'istio/components/buffer-behind-waf/envoyfilter.yaml'), 'utf8');
  const said = (changed) => envoy.refusal(ENVOY_BIN, envoy.only(envoy.patched(documents(changed))), MODULES, scratch);
  assert.equal(said(text), undefined);
  assert.match(said(text.replace('max_request_bytes: ', 'max_request_byte: ')), /'max_request_byte'\) has unknown fields$/);
});

test('a roll-out is a line in the values', async () => {
  edit('istio/overlays/dev/environment/values.yaml', (text) => text.replace('waf: {mode: detect}', 'waf: {mode: block, enforcePercent: 5}'));
  const documents = rendered('dev');
  const {config} = ofManifests(documents).find(({filter}) => filter === 'waf');
  assert.deepEqual([config.mode, config.enforcePercent], ['block', 5]);
  assert.deepEqual((await alone(root, documents)).lines, []);
  edit('istio/overlays/dev/environment/values.yaml', (text) => text.replace('enforcePercent: 5', 'enforcePercent: 500'));
  assert.deepEqual((await alone(root, rendered('dev'))).lines, ['WasmPlugin istio-ingress/backstop-waf: spec.pluginConfig.enforcePercent: must be <= 100']);
});

test('every overlay says the same of an order that all depend on', () => {
  for (const overlay of OVERLAYS) {
    const order = rendered(overlay).filter(({kind}) => kind === 'WasmPlugin').sort((a, b) => b.spec.priority - a.spec.priority);
    const expected = overlay === 'dev' ? ['waf', 'ext-authz'] : ['origin-verify', 'rate-limit', 'waf', 'ext-authz'];
    assert.deepEqual(order.map(({spec}) => spec.pluginName), expected);
    assert.ok(order.every(({spec}) => spec.failStrategy === 'FAIL_RELOAD' && spec.imagePullSecret && YAML.stringify(spec.url).includes('@sha256:')));
  }
});
