import { eventShapes } from './event-shapes.ts';
import { runPlugin } from './plugin.ts';
import { javaRules } from './rule-table-java.ts';
import { goRules, pythonRules, typescriptRules } from './rule-tables.ts';

/** A protoc plugin: what the options of events say, as a table in each language that an SDK is written in. */
runPlugin((registry) => {
  const shapes = eventShapes(registry);
  return {
    'ts/src/event-rules.ts': typescriptRules(shapes),
    'python/clickmesh/rules.py': pythonRules(shapes),
    'go/rules.go': goRules(shapes),
    'java/src/main/java/io/clickmesh/EventRules.java': javaRules(shapes),
  };
});
