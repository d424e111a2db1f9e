// Everything that can be said against a set of manifests, a line each.

import YAML from 'yaml';
import * as plugins from './plugins.mjs';
import * as rules from './rules.mjs';
import * as schema from './schema.mjs';

// The lines against manifests, each alone; the same one is judged once, however many sets it is in. With `tools` the filters are
// started, too.
export async function alone(root, documents, tools) {
  const unique = [...new Map(documents.map((document) => [JSON.stringify(document), document])).values()];
  const lines = [];
  const say = (document, found) => found.forEach(([at, reason]) => lines.push([schema.title(document), at, reason].filter(Boolean).join(': ')));
  const readable = [];
  for (const document of unique) {
    const found = await schema.violations(document);
    say(document, found);
    if (found.length === 0) readable.push(document);
  }
  const misspelled = schema.unknownFields(readable);
  misspelled.forEach(([index, at, reason]) => say(readable[index], [[at, reason]]));
  const counts = {manifests: unique.length, kinds: new Set(unique.map(({apiVersion, kind}) => `${apiVersion} ${kind}`)).size, configurations: 0};
  // What a rule or a filter says of a manifest that its schema refuses would be a second line on the same mistake.
  const spelled = readable.filter((_, index) => !misspelled.some(([other]) => other === index));
  for (const document of spelled) {
    say(document, rules.ofOne(document));
    for (const plugin of plugins.ofManifests([document])) {
      counts.configurations += 1;
      const found = plugins.violations(root, plugin);
      say(document, found.length > 0 || !tools ? found : plugins.start(tools, plugin));
    }
  }
  return {lines, counts};
}

// The lines against manifests that are applied together.
export function together(documents) {
  return rules.ofAll(documents, plugins.ofManifests(documents), YAML.parse).map((found) => found.join(': '));
}
