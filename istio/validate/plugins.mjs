// The filters in a set of manifests, whatever kind carries them, and their configurations: against the filters' schemas, and started.

import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createHash} from 'node:crypto';
import path from 'node:path';
import Ajv from 'ajv/dist/2020.js';

const PHASES = ['AUTHN', 'AUTHZ', 'STATS', 'UNSPECIFIED_PHASE'];

// Every filter of the manifests: its name (waf), configuration, place in the chain.
export function ofManifests(documents) {
  const found = documents.flatMap(({kind, metadata, spec}) => {
    const place = {name: metadata?.name, phase: spec?.phase ?? 'UNSPECIFIED_PHASE', priority: spec?.priority ?? 0};
    switch (kind) {
      case 'WasmPlugin':
        return [{...place, filter: spec.pluginName, config: spec.pluginConfig ?? {}, at: 'spec.pluginConfig', failure: spec.failStrategy ?? 'FAIL_CLOSE'}];
      case 'TrafficExtension':
        return [{...place, filter: spec.wasm?.pluginName, config: spec.wasm?.pluginConfig ?? {}, at: 'spec.wasm.pluginConfig', failure: spec.wasm?.failStrategy ?? 'FAIL_CLOSE'}];
      case 'EnvoyExtensionPolicy':
        return (spec.wasm ?? []).map((wasm, i) => ({...place, name: wasm.name, priority: -i, filter: wasm.rootID, config: wasm.config ?? {}, at: `spec.wasm[${i}].config`, failure: 'FAIL_CLOSE'}));
      default:
        return [];
    }
  });
  return found.sort((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) || b.priority - a.priority);
}

const compiled = new Map();

function validator(root, filter) {
  if (!compiled.has(filter)) {
    const file = path.join(root, 'filters', filter ?? '', 'config.schema.json');
    // Formats of numbers (uint32) are bounds for readers; minimum and maximum say the same to the validator.
    const check = existsSync(file) && filter ? new Ajv({strict: false, validateFormats: false}).compile(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
    compiled.set(filter, check);
  }
  return compiled.get(filter);
}

// What the filter's schema says against a configuration: places and reasons.
export function violations(root, {filter, config, at}) {
  const check = validator(root, filter);
  if (!check) return [['', `pluginName ${filter} is no filter of ours: origin-verify, rate-limit, waf, ext-authz, edge`]];
  if (check(config)) return [];
  const deepest = check.errors.reduce((a, b) => (b.instancePath.length > a.instancePath.length ? b : a));
  const named = deepest.params.additionalProperty ?? deepest.params.unevaluatedProperty;
  // A choice that documents each value is a list of constants.
  const constants = check.errors.filter(({instancePath, params}) => instancePath === deepest.instancePath && 'allowedValue' in params);
  const values = constants.length > 0 ? constants.map(({params}) => params.allowedValue) : deepest.params.allowedValues;
  const reason = values ? `must be equal to one of the allowed values: ${values.join(', ')}` : deepest.message;
  const where = `${at}${deepest.instancePath.replaceAll('/', '.')}`;
  return [[named ? `${where}.${named}` : where, named ? 'no such field' : reason]];
}

// Starts the filter with a configuration; what it says against it, in its own line. `started` remembers what was tried.
export function start({backstop, modules, scratch, started}, {filter, config, at}) {
  const text = JSON.stringify(config);
  const key = createHash('sha256').update(`${filter} ${text}`).digest('hex').slice(0, 16);
  if (!started.has(key)) {
    const file = path.join(scratch, `${filter}-${key}.json`);
    mkdirSync(scratch, {recursive: true});
    writeFileSync(file, text);
    started.set(key, check(backstop, modules, filter, file));
  }
  return started.get(key).map((reason) => [at, reason]);
}

function check(backstop, modules, filter, file) {
  try {
    execFileSync(backstop, ['check', '--filter', filter, '--module', path.join(modules, `${filter}.wasm`), file], {stdio: ['ignore', 'pipe', 'pipe']});
    return [];
  } catch (error) {
    if (!error.stderr) throw error;
    return [String(error.stderr).trim().replace(/^backstop: \S+: /, '')];
  }
}
