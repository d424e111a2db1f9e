// What schemas cannot say: the CEL rules of Istio's CRDs, what istiod's webhook refuses, and what is ours.

import {isIP} from 'node:net';

const DIGEST = /@sha256:[0-9a-f]{64}$/;
const count = (...values) => values.filter((value) => value !== undefined).length;
const repeated = (values) => values.find((value, at) => values.indexOf(value) !== at);

function oneTarget(spec) {
  const several = count(spec.selector, spec.targetRef, spec.targetRefs) > 1;
  return several ? [['spec', 'only one of selector, targetRef and targetRefs can be set']] : [];
}

// A module's source, with the fields of a WasmPlugin's spec at `at`.
function module(wasm, at) {
  const found = [];
  const scheme = /^([a-z]+):\/\//.exec(wasm.url ?? '')?.[1] ?? '';
  if (!['', 'http', 'https', 'file', 'oci'].includes(scheme)) found.push([`${at}.url`, 'its scheme has to be one of http, https, file, oci']);
  const pinned = DIGEST.test(wasm.url ?? '') || (['http', 'https'].includes(scheme) && wasm.sha256);
  if (!pinned) found.push([`${at}.url`, `${wasm.url} is not pinned by a digest: istio/pin writes it`]);
  else if (wasm.sha256 && DIGEST.test(wasm.url) && !wasm.url.endsWith(wasm.sha256)) found.push([`${at}.sha256`, 'is not the digest in url']);
  if (wasm.failStrategy === 'FAIL_OPEN') found.push([`${at}.failStrategy`, 'FAIL_OPEN lets requests pass unseen once the VM failed: FAIL_RELOAD']);
  const env = wasm.vmConfig?.env ?? [];
  const twice = repeated(env.map(({name}) => name));
  if (twice) found.push([`${at}.vmConfig.env`, `${twice} is there twice`]);
  env.forEach(({valueFrom, value}, i) => {
    if (valueFrom === 'HOST' && value !== undefined) found.push([`${at}.vmConfig.env[${i}].value`, 'can only be set when valueFrom is INLINE']);
  });
  return found;
}

function traffic(spec) {
  return (spec.match ?? []).flatMap(({mode, ports = []}, i) => {
    const found = [];
    if (mode === 'SERVER') found.push([`spec.match[${i}].mode`, 'a gateway has no SERVER side: CLIENT or CLIENT_AND_SERVER']);
    const twice = repeated(ports.map(({number}) => number));
    if (twice) found.push([`spec.match[${i}].ports`, `${twice} is there twice`]);
    return found;
  });
}

function address(text) {
  const [ip, bits, more] = text.split('/');
  const version = isIP(ip);
  return version > 0 && more === undefined && (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)));
}

function authorization(spec) {
  const found = [];
  if ((spec.action ?? 'ALLOW') === 'CUSTOM' && !spec.provider) found.push(['spec.provider', 'CUSTOM needs a provider']);
  (spec.rules ?? []).forEach((rule, r) => {
    (rule.from ?? []).forEach(({source = {}}, i) => {
      for (const key of ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks']) {
        const wrong = (source[key] ?? []).find((block) => !address(block));
        if (wrong) found.push([`spec.rules[${r}].from[${i}].source.${key}`, `${wrong} is neither an address nor a network`]);
      }
    });
    (rule.to ?? []).forEach(({operation = {}}, i) => {
      const at = `spec.rules[${r}].to[${i}].operation`;
      for (const key of ['hosts', 'notHosts']) {
        const hosts = operation[key] ?? [];
        const lone = hosts.find((host) => !host.includes(':') && !host.endsWith('*') && !hosts.includes(`${host}:*`));
        if (lone) found.push([`${at}.${key}`, `${lone} without "${lone}:*": a client that writes the port would not be meant`]);
      }
      for (const key of ['paths', 'notPaths']) {
        const wrong = (operation[key] ?? []).find((text) => /.\*./.test(text));
        const short = spec.action === 'DENY' && key === 'paths' && (operation[key] ?? []).find((text, _, all) => text.endsWith('/*') && text.length > 2 && !all.includes(text.replace(/\/\*$/, ';*')));
        if (short) found.push([`${at}.paths`, `${short} without "${short.replace(/\/\*$/, ';*')}": services that drop what is behind a ; would be reached`]);
        if (wrong && !wrong.includes('{')) found.push([`${at}.${key}`, `${wrong}: a * is a wildcard only at the beginning or the end`]);
      }
    });
  });
  return found;
}

function serviceEntry(spec) {
  const found = [];
  if (spec.endpoints && spec.workloadSelector) found.push(['spec', 'only one of workloadSelector and endpoints can be set']);
  for (const key of ['name', 'number']) {
    const twice = repeated((spec.ports ?? []).map((port) => port[key]));
    if (twice !== undefined) found.push(['spec.ports', `${key} ${twice} is there twice`]);
  }
  const resolution = spec.resolution ?? 'NONE';
  if (resolution === 'NONE' && spec.endpoints) found.push(['spec.endpoints', 'NONE resolution cannot have endpoints']);
  if (resolution === 'DNS_ROUND_ROBIN' && spec.endpoints?.length > 1) found.push(['spec.endpoints', 'DNS_ROUND_ROBIN cannot have several']);
  if (spec.hosts.includes('*')) found.push(['spec.hosts', 'cannot be *']);
  if (resolution.startsWith('DNS') && spec.hosts.some((host) => host.includes('*')) && !spec.endpoints) found.push(['spec.hosts', 'a wildcard cannot be looked up']);
  if (spec.addresses?.some((text) => text.includes('/')) && resolution.startsWith('DNS')) found.push(['spec.addresses', 'networks are for NONE and STATIC resolution']);
  return found;
}

function virtualService(spec) {
  const found = [];
  (spec.http ?? []).forEach((route, i) => {
    if (count(route.route, route.redirect, route.directResponse, route.delegate) !== 1) found.push([`spec.http[${i}]`, 'one of route, redirect, directResponse and delegate']);
    const weights = (route.route ?? []).map(({weight}) => weight);
    if (weights.length > 1 && !weights.some((weight) => weight > 0)) found.push([`spec.http[${i}].route`, 'no destination has a weight']);
  });
  const named = (spec.http ?? []).map(({name}) => name).filter(Boolean);
  if (repeated(named)) found.push(['spec.http', `${repeated(named)} is there twice`]);
  const last = (spec.http ?? []).findIndex(({match}) => !match);
  if (last >= 0 && last < spec.http.length - 1) found.push([`spec.http[${last}]`, 'matches everything: the routes behind it are never taken']);
  return found;
}

function pods(spec) {
  const containers = [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])];
  return containers.filter(({image}) => !DIGEST.test(image ?? '')).map(({name, image}) => [`spec.template.spec.containers[${name}].image`, `${image} is not pinned by a digest: istio/pin writes it`]);
}

const RULES = {
  WasmPlugin: (spec) => [...oneTarget(spec), ...module(spec, 'spec'), ...traffic(spec)],
  TrafficExtension: (spec) => [
    ...oneTarget(spec),
    ...(count(spec.wasm, spec.lua) === 1 ? [] : [['spec', 'exactly one of wasm and lua']]),
    ...(spec.wasm ? module(spec.wasm, 'spec.wasm') : []),
    ...traffic(spec),
  ],
  AuthorizationPolicy: (spec) => [...oneTarget(spec), ...authorization(spec)],
  RequestAuthentication: (spec) => [
    ...oneTarget(spec),
    ...(spec.jwtRules ?? []).flatMap((rule, i) => [
      ...(count(rule.jwks, rule.jwksUri) > 1 ? [[`spec.jwtRules[${i}]`, 'only one of jwks and jwksUri can be set']] : []),
      ...(rule.jwksUri !== undefined && !/^https?:\/\/[^/]/.test(rule.jwksUri) ? [[`spec.jwtRules[${i}].jwksUri`, 'its scheme has to be http or https']] : []),
    ]),
  ],
  PeerAuthentication: (spec) =>
    spec.portLevelMtls && Object.keys(spec.selector?.matchLabels ?? {}).length === 0 ? [['spec.portLevelMtls', 'needs a selector']] : [],
  EnvoyFilter: (spec) => (count(spec.workloadSelector, spec.targetRefs) > 1 ? [['spec', 'only one of targetRefs and workloadSelector can be set']] : []),
  ServiceEntry: serviceEntry,
  VirtualService: virtualService,
  Deployment: pods,
  StatefulSet: pods,
  EnvoyExtensionPolicy: (spec) => [
    ...(count(spec.targetRef, spec.targetRefs, spec.targetSelectors) === 0 ? [['spec', 'one of targetRef, targetRefs and targetSelectors']] : []),
    ...(spec.wasm ?? []).flatMap((wasm, i) => {
      const url = wasm.code?.image?.url ?? '';
      return [
        ...(wasm.code?.type === 'Image' && !DIGEST.test(url) ? [[`spec.wasm[${i}].code.image.url`, `${url} is not pinned by a digest: istio/pin writes it`]] : []),
        ...(wasm.failOpen ? [[`spec.wasm[${i}].failOpen`, 'lets requests pass unseen once the VM failed']] : []),
      ];
    }),
  ],
};

const CLUSTER_WIDE = new Set(['Namespace', 'ClusterPolicy', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding', 'GatewayClass']);

// What is wrong with one manifest: places and reasons.
export function ofOne(document) {
  const found = RULES[document.kind]?.(document.spec ?? {}) ?? [];
  if (!CLUSTER_WIDE.has(document.kind) && !document.metadata?.namespace) found.push(['metadata.namespace', 'is not set']);
  const left = /"([^"]*\bset(?: by images\.yaml|\.from\.values)[^"]*)"/.exec(JSON.stringify(document));
  if (left) found.push(['', `"${left[1]}" is still in it: no component's replacement reached it`]);
  return found;
}

const serves = (port) => ['grpc', 'grpc-web', 'http2', 'kubernetes.io/h2c'].includes((port.appProtocol ?? port.protocol ?? port.name.split('-')[0]).toLowerCase());

// Whether the cluster of a call-out comes from a Service or ServiceEntry of these manifests. `grpc` says that it has to be HTTP/2.
function cluster(name, grpc, documents) {
  const parts = /^outbound\|(\d+)\|[^|]*\|(.+)$/.exec(name);
  if (!parts) return `${name} is not how Istio calls a cluster: outbound|PORT||HOST`;
  const [, number, host] = parts;
  const services = documents.filter(
    ({kind, metadata, spec}) =>
      (kind === 'Service' && `${metadata.name}.${metadata.namespace}.svc.cluster.local` === host) || (kind === 'ServiceEntry' && spec.hosts.includes(host)),
  );
  if (services.length === 0) return `${host} is no Service and no ServiceEntry of these manifests`;
  const port = services.flatMap(({spec}) => spec.ports).find((port) => String(port.port ?? port.number) === number);
  if (!port) return `${host} has no port ${number}`;
  if (grpc && !serves(port)) return `port ${number} of ${host} is not gRPC (appProtocol: grpc), so Envoy would speak HTTP/1.1`;
  const kept = documents.some(({kind, spec}) => kind === 'VirtualService' && spec.gateways && (spec.http ?? []).some(({route}) => route?.some(({destination}) => destination.host === host)));
  return kept ? undefined : `no VirtualService of the gateway names ${host}: PILOT_FILTER_GATEWAY_CLUSTER_CONFIG would take the cluster away`;
}

// Every descriptor that a filter may send has to be one that the rate-limit service has a limit for.
function descriptors(limits, documents) {
  const text = documents.find(({kind, metadata}) => kind === 'ConfigMap' && metadata.name.startsWith('ratelimit-limits'))?.data?.['limits.yaml'];
  return text === undefined ? [] : {limits, text};
}

// What is wrong between manifests that are applied together: places and reasons. `plugins` are those of these manifests.
export function ofAll(documents, plugins, parse) {
  const found = [];
  const names = documents.map(({apiVersion, kind, metadata}) => [apiVersion.split('/')[0], kind, metadata?.namespace, metadata?.name].join(' '));
  const twice = repeated(names);
  if (twice) found.push([twice, 'is there twice']);
  for (const {name, filter, config} of plugins) {
    const sections = filter === 'edge' ? config : {};
    const global = (sections.rateLimit ?? config)?.globalLimits;
    const authz = sections.extAuthz ?? config;
    const calls = [
      ['globalLimits.cluster', global?.cluster, true],
      ['service.grpc.cluster', authz?.service?.grpc?.cluster, true],
      ['service.http.cluster', authz?.service?.http?.cluster, false],
      ...[sections.waf?.blockList, authz?.blockList].map((list) => ['blockList.notify.cluster', list?.notify?.cluster, false]),
    ];
    for (const [at, called, grpc] of calls) {
      const wrong = called && cluster(called, grpc, documents);
      if (wrong) found.push([name, `${at}: ${wrong}`]);
    }
    const service = descriptors(global, documents);
    if (global && service.text !== undefined) found.push(...unlimited(global, parse(service.text)).map((reason) => [name, `globalLimits: ${reason}`]));
  }
  const prioritised = plugins.map(({phase, priority}) => `${phase} ${priority}`);
  if (repeated(prioritised)) found.push(['plugins', `two have ${repeated(prioritised)}: their order would be that of their creation`]);
  return found;
}

function unlimited(global, service) {
  if (service.domain !== global.domain) return [`domain ${global.domain} is not the service's, ${service.domain}`];
  return global.descriptors.flatMap(({entries}, i) => {
    let level = service.descriptors;
    let node;
    for (const {key, value} of entries) {
      node = level?.find((one) => one.key === key && (one.value === undefined || one.value === value));
      level = node?.descriptors;
    }
    return node?.rate_limit || node?.unlimited ? [] : [`descriptors[${i}] (${entries.map(({key, value}) => (value ? `${key}=${value}` : key)).join(', ')}) has no limit in limits.yaml`];
  });
}
