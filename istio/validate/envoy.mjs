// The plain Envoy configuration: written from the same rendered plugins, in their order; and Envoy's word on it.

import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import path from 'node:path';
import YAML from 'yaml';

const type = (name) => `type.googleapis.com/envoy.${name}`;
// The labels of the filters' metrics, in the syntax that Istio's bootstrap knows without being told.
const LABELS = ['action', 'cached', 'category', 'event', 'event_type', 'limit', 'mode', 'outcome', 'reason', 'result', 'rule', 'secret', 'why'];
const POLICIES = {FAIL_CLOSE: 'FAIL_CLOSED', FAIL_OPEN: 'FAIL_OPEN', FAIL_RELOAD: 'FAIL_RELOAD'};

const HEAD = `# Envoy 1.37 with the filters in front of one service. Made by \`make envoy-yaml\` from the values that the Istio overlays are
# made of (envoy/kustomization.yaml says which); \`make manifests\` refuses it when it is not what they say now.
# Modules lie in /etc/envoy/backstop: target/modules/*.wasm of \`make build\`. Names to replace: app, ratelimit, ext-authz-adapter.
`;

function wasm({filter, name, config, failure}) {
  return {
    name: `backstop.${filter}`,
    typed_config: {
      '@type': type('extensions.filters.http.wasm.v3.Wasm'),
      config: {
        name,
        root_id: filter,
        failure_policy: POLICIES[failure],
        // A Struct would reach the filter in its binary form.
        configuration: {'@type': 'type.googleapis.com/google.protobuf.StringValue', value: `${JSON.stringify(config, undefined, 2)}\n`},
        vm_config: {runtime: 'envoy.wasm.runtime.v8', code: {local: {filename: `/etc/envoy/backstop/${filter}.wasm`}}},
      },
    },
  };
}

function cluster(name, address, port, http2) {
  const made = {
    name,
    type: 'STRICT_DNS',
    connect_timeout: '0.5s',
    load_assignment: {cluster_name: name, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address, port_value: port}}}}]}]},
  };
  if (http2) {
    const options = {'@type': type('extensions.upstreams.http.v3.HttpProtocolOptions'), explicit_http_config: {http2_protocol_options: {}}};
    made.typed_extension_protocol_options = {'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': options};
  }
  return made;
}

function bootstrap(plugins, behind = []) {
  const manager = {
    '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'ingress',
    // The client's address is what the load balancer in front says: one trusted hop. Without a load balancer it is 0.
    use_remote_address: true,
    xff_num_trusted_hops: 1,
    normalize_path: true,
    merge_slashes: true,
    access_log: [
      {
        name: 'envoy.access_loggers.stdout',
        typed_config: {
          '@type': type('extensions.access_loggers.stream.v3.StdoutAccessLog'),
          log_format: {
            json_format: {
              time: '%START_TIME%',
              client: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
              method: '%REQ(:METHOD)%',
              path: '%PATH(NQ)%',
              status: '%RESPONSE_CODE%',
              details: '%RESPONSE_CODE_DETAILS%',
              waf: '%FILTER_STATE(wasm.waf_verdict:PLAIN)%',
              rate_limit: '%FILTER_STATE(wasm.rate_limit_verdict:PLAIN)%',
            },
          },
        },
      },
    ],
    http_filters: [...plugins.map(wasm), ...behind, {name: 'envoy.filters.http.router', typed_config: {'@type': type('extensions.filters.http.router.v3.Router')}}],
    route_config: {virtual_hosts: [{name: 'app', domains: ['*'], routes: [{match: {prefix: '/'}, route: {cluster: 'app'}}]}]},
  };
  return {
    admin: {address: {socket_address: {address: '127.0.0.1', port_value: 9901}}},
    stats_config: {stats_tags: LABELS.map((name) => ({tag_name: name, regex: `(${name}=\\.=(.*?);\\.;)`}))},
    static_resources: {
      listeners: [
        {
          name: 'ingress',
          address: {socket_address: {address: '0.0.0.0', port_value: 8080}},
          filter_chains: [{filters: [{name: 'envoy.filters.network.http_connection_manager', typed_config: manager}]}],
        },
      ],
      clusters: [cluster('app', 'app', 8080, false), cluster('ratelimit', 'ratelimit', 8081, true), cluster('ext-authz-adapter', 'ext-authz-adapter', 50051, true), cluster('ext-authz-adapter-http', 'ext-authz-adapter', 8080, false)],
    },
  };
}

export const file = (plugins) => HEAD + YAML.stringify(bootstrap(plugins), {lineWidth: 0, aliasDuplicateObjects: false});

// The HTTP filters that EnvoyFilters put into Istio's chain: no schema knows what is in them, Envoy does.
export const patched = (documents) =>
  documents
    .filter(({kind}) => kind === 'EnvoyFilter')
    .flatMap(({spec}) => spec.configPatches)
    .filter(({applyTo, patch}) => applyTo === 'HTTP_FILTER' && patch.value)
    .map(({patch}) => patch.value);

// A configuration with nothing but these filters.
export const only = (filters) => YAML.stringify(bootstrap([], filters));

// What Envoy says against a configuration, in one line; nothing if it takes it. The modules are those of `modules`.
export function refusal(envoy, text, modules, scratch) {
  const config = path.join(scratch, 'envoy.yaml');
  writeFileSync(config, text.replaceAll('/etc/envoy/backstop/', `${path.resolve(modules)}/`));
  try {
    execFileSync(envoy, ['--mode', 'validate', '-c', config, '--log-level', 'error'], {stdio: ['ignore', 'pipe', 'pipe']});
    return undefined;
  } catch (error) {
    if (!error.stderr) throw error;
    const said = String(error.stderr).trim().split('\n').filter(Boolean);
    const word = said.find((line) => /config: \$|INVALID_ARGUMENT|Protobuf|error/i.test(line)) ?? said.at(-1);
    return word.replace(/^\[[^\]]*\](\[[^\]]*\])*\s*(\[[^\]]*\]\s*)*/, '');
  }
}
