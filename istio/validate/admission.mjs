// The admission policies, evaluated without a cluster: their CEL, by a CEL interpreter, over an object. Which objects a cluster
// shows to a policy (matchConstraints) is compared by group, resource and namespace; conversion of versions is not modelled.

import {evaluate} from '@marcbachmann/cel-js';

const RESOURCES = {WasmPlugin: 'wasmplugins', TrafficExtension: 'trafficextensions', Deployment: 'deployments', StatefulSet: 'statefulsets', DaemonSet: 'daemonsets'};

function matches({namespaceSelector, resourceRules}, object) {
  const [group] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : [''];
  const namespace = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name'];
  if (namespace && namespace !== object.metadata.namespace) return false;
  return resourceRules.some(({apiGroups, resources}) => apiGroups.includes(group) && resources.includes(RESOURCES[object.kind]));
}

// The messages of the validations that refuse the object. An expression that fails refuses it, too (failurePolicy: Fail).
export function refusals({spec}, object) {
  if (!matches(spec.matchConstraints, object)) return [];
  const variables = {};
  for (const {name, expression} of spec.variables) variables[name] = evaluate(expression, {object, variables});
  return spec.validations
    .filter(({expression}) => {
      try {
        return evaluate(expression, {object, variables}) !== true;
      } catch {
        return true;
      }
    })
    .map(({message}) => message);
}
