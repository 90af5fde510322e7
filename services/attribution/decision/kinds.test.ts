import { expect, test } from 'vitest';
import { Role } from '../../../gen/ts/clickmesh/v1/rules_pb.js';
import { EVENT_TYPES, EVENTS } from '../../contract/event-rules.ts';
import { KINDS } from './kinds.ts';

test.each(EVENT_TYPES)('the role of %s is that of the contract', (type) => {
  expect(KINDS[type].role).toBe(Role[EVENTS[type].role].toLowerCase());
});
