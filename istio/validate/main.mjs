// `make manifests`: renders every combination and says in one line each what is wrong. What it found is counted at the end.
//
//   node main.mjs [--backstop FILE --modules FOLDER] [--envoy FILE] [--out FOLDER] [--write-envoy-yaml]

import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {parseArgs} from 'node:util';
import * as envoy from './envoy.mjs';
import {alone, together} from './judge.mjs';
import * as plugins from './plugins.mjs';
import {OVERLAYS, combinations, documents, kustomize, pinnedCopy} from './render.mjs';

// The quick start's image is its reader's to pin.
function pinned(document) {
  if (document.kind === 'WasmPlugin') document.spec.url += `@sha256:${'0'.repeat(64)}`;
  return document;
}

const root = path.resolve(import.meta.dirname, '../..');
const string = (fallback) => ({type: 'string', default: fallback});
const {values: args} = parseArgs({
  options: {
    backstop: string(undefined),
    modules: string(path.join(root, 'target/modules')),
    envoy: string(undefined),
    out: string(path.join(root, 'target/manifests')),
    'write-envoy-yaml': {type: 'boolean', default: false},
  },
});

const out = path.resolve(args.out);
const copy = path.join(out, 'pinned');
mkdirSync(out, {recursive: true});
pinnedCopy(root, copy);

const written = path.join(root, 'envoy/envoy.yaml');
const chain = envoy.file(plugins.ofManifests(documents(kustomize(path.join(copy, 'envoy')))));
if (args['write-envoy-yaml']) {
  writeFileSync(written, chain);
  process.exit();
}

const lines = [];
const sets = [];
for (const {name, folder} of [...combinations(copy), {name: 'envoy-gateway', folder: path.join(copy, 'envoy-gateway')}]) {
  try {
    sets.push({name, documents: documents(kustomize(folder))});
  } catch (error) {
    lines.push(`${name}: ${error.message}`);
  }
}
// The Prometheus operator's kinds are promtool's to check (make dashboards).
const watched = documents(kustomize(path.join(root, 'istio/observability'))).filter(({apiVersion}) => !apiVersion.startsWith('monitoring.coreos.com/'));
sets.push({name: 'observability', documents: watched});
const files = ['istio/quick-start/waf.yaml', 'istio/policies/admission.yaml', 'istio/policies/kyverno.yaml'].map((name) => ({
  name,
  documents: documents(readFileSync(path.join(root, name), 'utf8')).map(pinned),
}));

const tools = args.backstop && {backstop: path.resolve(args.backstop), modules: path.resolve(args.modules), scratch: path.join(out, 'configurations'), started: new Map()};
const everything = [...sets, ...files].flatMap((set) => set.documents);
const judged = await alone(root, everything, tools);
lines.push(...judged.lines);
for (const {name, documents: own} of sets) lines.push(...together(own).map((line) => `${name}: ${line}`));

if (readFileSync(written, 'utf8') !== chain) lines.push('envoy/envoy.yaml: is not what the values say now: make envoy-yaml');
let taken = 'envoy.yaml not validated (no --envoy)';
if (args.envoy) {
  const refused = envoy.refusal(args.envoy, chain, args.modules, out);
  if (refused) lines.push(`envoy/envoy.yaml: ${refused}`);
  const filters = new Map(envoy.patched(everything).map((filter) => [JSON.stringify(filter), filter]));
  for (const filter of filters.values()) {
    const said = envoy.refusal(args.envoy, envoy.only([filter]), args.modules, out);
    if (said) lines.push(`EnvoyFilter: ${filter.name}: ${said}`);
  }
  taken = `envoy.yaml and ${filters.size} filter of EnvoyFilters validated by Envoy`;
}

// The chains that the end-to-end test sends traffic through.
const chains = Object.fromEntries(
  sets.filter(({name}) => /^[a-z]+\+(separate|edge)$/.test(name)).map(({name, documents: own}) => [name, plugins.ofManifests(own)]),
);
writeFileSync(path.join(out, 'chains.json'), JSON.stringify(chains, undefined, 1));
for (const {name, documents: own} of sets) writeFileSync(path.join(out, `${name}.json`), JSON.stringify(own));

const total = sets.reduce((sum, set) => sum + set.documents.length, 0);
lines.forEach((line) => console.error(line));
console.log(
  [
    `${sets.length} sets (${OVERLAYS.join(', ')} in every combination of components; Envoy Gateway's, observability): ${total} manifests`,
    `${judged.counts.manifests} different ones of ${judged.counts.kinds} kinds against their schemas and rules`,
    `${judged.counts.configurations} pluginConfigs against the filters' schemas, ${tools ? `${tools.started.size} different ones started` : 'none started (no --backstop)'}`,
    taken,
    `${lines.length} refused`,
  ].join('\n'),
);
process.exitCode = lines.length === 0 ? 0 : 1;
