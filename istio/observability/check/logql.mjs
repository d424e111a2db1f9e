// LogQL expressions, one a line on standard input, by Grafana's own grammar: those that are none, and where.

import {readFileSync} from 'node:fs';
import {parser} from '@grafana/lezer-logql';

const lines = readFileSync(0, 'utf8').split('\n').filter(Boolean);
for (const line of lines) {
  const text = line.replace('$__auto', '5m').replace('$__range', '1h');
  parser.parse(text).iterate({
    enter: ({type, from}) => {
      if (type.isError) console.log(`not LogQL at ${JSON.stringify(text.slice(from, from + 30))}: ${text}`);
    },
  });
}
