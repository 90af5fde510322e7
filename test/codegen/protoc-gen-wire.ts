import { eventShapes } from './event-shapes.ts';
import { runPlugin } from './plugin.ts';
import { wireCode } from './wire-code.ts';

/** A protoc plugin: event-wire.ts, the code that scans, finds and writes the fields of events. */
runPlugin((registry) => ({ 'event-wire.ts': wireCode(eventShapes(registry)) }));
