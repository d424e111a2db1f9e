// Renders overlays: as they are, and in every combination of the components that an operator may choose.

import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {cpSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import YAML from 'yaml';

export const OVERLAYS = ['dev', 'staging', 'prod'];
const MODULES = ['origin-verify', 'rate-limit', 'waf', 'ext-authz'];
const component = (name) => `../../components/${name}`;

// What the filters run as: each turns an overlay's list of components into its own.
const SHAPES = {
  separate: (all) => all,
  edge: (all) => oneForAll(all, 'edge'),
  'traffic-extension': (all) => all.map(asTrafficExtension),
  'traffic-extension-edge': (all) => oneForAll(all, 'edge').map(asTrafficExtension),
};
const OPTIONS = ['buffer-behind-waf', 'call-outs-external'];

function oneForAll(all, module) {
  const own = MODULES.map(component);
  const first = all.findIndex((name) => own.includes(name));
  return all.flatMap((name, at) => (at === first ? [component(module)] : own.includes(name) ? [] : [name]));
}

function asTrafficExtension(name) {
  const module = [...MODULES, 'edge'].find((module) => name === component(module));
  return module ? component(`traffic-extension/${module}`) : name;
}

// Runs kustomize on a folder; what it says of a broken one is in one line.
export function kustomize(folder) {
  const [command, ...first] = (process.env.KUSTOMIZE ?? 'kubectl kustomize').split(' ');
  try {
    return execFileSync(command, [...first, folder], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26});
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error(`${command} is not there: KUSTOMIZE names a kustomize of version 5, or a kubectl of 1.27, or newer`);
    throw new Error(String(error.stderr).trim().split('\n').pop().replace(/^E\d{4}.*?err=/, '').replaceAll('\\"', '"'));
  }
}

export function documents(text) {
  return YAML.parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw new Error(document.errors[0].message.split('\n')[0]);
      return document.toJS();
    })
    .filter((document) => document !== null);
}

// A copy of the tree in which every image is pinned, as an operator pins it before a roll-out. The digests are of the image's
// name: no registry is asked, and none is deployed.
export function pinnedCopy(root, target) {
  rmSync(target, {recursive: true, force: true});
  for (const part of ['istio/base', 'istio/components', 'istio/overlays', 'envoy-gateway', 'envoy']) {
    cpSync(path.join(root, part), path.join(target, part), {recursive: true});
  }
  for (const overlay of OVERLAYS) {
    const images = YAML.parse(readFileSync(path.join(target, 'istio/overlays', overlay, 'environment/images.yaml'), 'utf8')).images;
    const pins = Object.entries(images).map(([name, reference]) => `${name}=${reference}@sha256:${createHash('sha256').update(reference).digest('hex')}`);
    execFileSync(path.join(root, 'istio/pin'), ['--root', path.join(target, 'istio'), overlay, ...pins]);
  }
}

// The name of each combination and its folder, made in `target`.
export function combinations(target) {
  const made = [];
  for (const overlay of OVERLAYS) {
    const own = YAML.parse(readFileSync(path.join(target, 'istio/overlays', overlay, 'kustomization.yaml'), 'utf8'));
    for (const [shape, shaped] of Object.entries(SHAPES)) {
      for (let chosen = 0; chosen < 1 << OPTIONS.length; chosen += 1) {
        const options = OPTIONS.filter((_, bit) => chosen & (1 << bit));
        const name = [overlay, shape, ...options].join('+');
        const folder = path.join(target, 'istio/overlays', name);
        const components = [...shaped(own.components), ...options.map(component)].map((entry) => (entry === 'environment' ? `../${overlay}/environment` : entry));
        mkdirSync(folder);
        writeFileSync(path.join(folder, 'kustomization.yaml'), YAML.stringify({...own, components}));
        made.push({name, overlay, shape, folder});
      }
    }
  }
  return made;
}
