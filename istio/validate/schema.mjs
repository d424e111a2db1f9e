// Manifests against the CRD schemas of Istio 1.29 (and Kubernetes, Envoy Gateway, Kyverno): types and values by the compiled
// schemas of @kubernetes-models, unknown fields by TypeScript on their declarations, which the schemas let pass.

import path from 'node:path';
import ts from 'typescript';

const PACKAGES = [
  [/\.istio\.io$/, '@kubernetes-models/istio/'],
  [/^gateway\.envoyproxy\.io$/, '@kubernetes-models/envoy-gateway/'],
  [/^gateway\.networking\.k8s\.io$/, '@kubernetes-models/gateway-api/'],
  [/^kyverno\.io$/, '@kubernetes-models/kyverno/'],
  [/./, 'kubernetes-models/'],
  [/^$/, 'kubernetes-models/'],
];

export const title = (document) => [document.kind, [document.metadata?.namespace, document.metadata?.name].filter(Boolean).join('/')].join(' ');

// TrafficExtension is newer than the schemas: its fields are WasmPlugin's, those of the module under `wasm`.
function known(document) {
  if (document.kind !== 'TrafficExtension') return {document, spelled: (where) => where};
  const {wasm, lua, ...rest} = document.spec ?? {};
  const own = new Set(Object.keys(wasm ?? {}));
  const spelled = (where) => where.replace(/^spec\.([^.[]+)/, (all, field) => (own.has(field) || field === 'url' ? `spec.wasm.${field}` : all));
  return {document: {...document, kind: 'WasmPlugin', spec: {...rest, ...wasm}}, spelled};
}

function module(document) {
  const [version, group = ''] = document.apiVersion.split('/').reverse();
  const [, base] = PACKAGES.find(([pattern]) => pattern.test(group));
  return `${base}${group ? `${group}/` : ''}${version}/${document.kind}`;
}

const dotted = (pointer) => pointer.replace(/\/(\d+)(?=\/|$)/g, '[$1]').replaceAll('/', '.').replace(/^\./, '').replaceAll('~1', '/');

// What the schema says against a manifest: places and reasons.
export async function violations(original) {
  const {document, spelled} = known(original);
  if (typeof document?.apiVersion !== 'string' || typeof document.kind !== 'string') return [['', 'no apiVersion and kind']];
  let model;
  try {
    model = (await import(module(document)))[document.kind];
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return [['', `no schema for ${document.apiVersion} ${document.kind}`]];
    throw error;
  }
  try {
    new model(document).validate();
    return [];
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    return error.errors.map((one) => {
      const allowed = one.params?.allowedValues ? `: ${one.params.allowedValues.join(', ')}` : '';
      return [spelled(dotted(one.instancePath)), `${one.message}${allowed}`];
    });
  }
}

// A document as TypeScript with a field a line, so that a line says which field it is.
function source(documents) {
  const lines = [];
  const places = [];
  const put = (text, index, where) => {
    lines.push(text);
    places.push({index, where});
  };
  const literal = (value, index, where, before, after) => {
    if (value === null || typeof value !== 'object') return put(`${before}${JSON.stringify(value)}${after}`, index, where);
    const list = Array.isArray(value);
    put(`${before}${list ? '[' : '{'}`, index, where);
    for (const [key, inner] of Object.entries(value)) {
      const at = list ? `${where}[${key}]` : [where, key].filter(Boolean).join('.');
      literal(inner, index, at, list ? '' : `${/^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key)}: `, ',');
    }
    put(`${list ? ']' : '}'}${after}`, index, where);
  };
  documents.forEach((document, index) => {
    put(`import type {I${document.kind} as Type${index}} from ${JSON.stringify(module(document))};`, index, '');
    literal(document, index, '', `export const d${index}: Type${index} = `, ';');
  });
  return {text: lines.join('\n'), places};
}

// Declarations are parsed once, whatever is held against them.
const parsed = new Map();

function declaration(name, read) {
  if (!parsed.has(name)) parsed.set(name, read());
  return parsed.get(name);
}

// Fields that no schema knows, of all documents at once: [document's index, place, reason].
export function unknownFields(originals) {
  const documents = originals.map(known);
  const {text, places} = source(documents.map(({document}) => document));
  const file = path.join(import.meta.dirname, 'manifests.generated.mts');
  const options = {strict: true, noEmit: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, target: ts.ScriptTarget.ES2022, types: []};
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => (name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true) : declaration(name, () => read(name, ...rest)));
  const exists = host.fileExists.bind(host);
  host.fileExists = (name) => name === file || exists(name);
  const program = ts.createProgram([file], options, host);
  const found = [];
  for (const diagnostic of program.getSemanticDiagnostics(program.getSourceFile(file))) {
    const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n').split('\n')[0];
    const {index, where} = places[ts.getLineAndCharacterOfPosition(diagnostic.file, diagnostic.start).line];
    const spelled = documents[index].spelled(where);
    if (/may only specify known properties/.test(message)) {
      const meant = /Did you mean to write '([^']+)/.exec(message);
      found.push([index, spelled, `no such field${meant ? `: ${meant[1]}?` : ''}`]);
    } else if (diagnostic.code === 2307) {
      throw new Error(message);
    }
  }
  return found;
}

