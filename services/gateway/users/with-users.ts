import { RejectReason } from '../../../gen/ts/clickmesh/v1/ingest_service_pb.js';
import { type Outcome, type Rejected, rejected, type Userless } from '../event/accept.ts';
import type { FindUsers } from './find-users.ts';

type UserlessOutcome = Rejected & { userless: Userless };

/** Judges events that are without their users again, with those that are found; the others stay as they are. */
export async function withUsers(outcomes: readonly Outcome[], findUsers: FindUsers): Promise<Outcome[]> {
  const byTypes = Map.groupBy(outcomes.filter(isUserless), ({ userless }) => userless.types);
  const found = await Promise.all(
    [...byTypes].map(async ([types, group]) => {
      const ids = new Set(group.map(({ userless }) => userless.id));
      return [types, await findUsers(types, [...ids])] as const;
    }),
  );
  const usersOf = new Map(found);
  return outcomes.map((outcome) => {
    if (!isUserless(outcome)) return outcome;
    const { types, id } = outcome.userless;
    return judged(outcome, usersOf.get(types)!.get(id) ?? []);
  });
}

function isUserless(outcome: Outcome): outcome is UserlessOutcome {
  return outcome.kind === 'rejected' && outcome.userless !== undefined;
}

function judged({ rejection: { eventId }, userless }: UserlessOutcome, users: readonly string[]): Outcome {
  const [user, another] = users;
  const { field, received, types } = userless;
  if (user === undefined) {
    const what = `${field} is of no ${OR.format(types)} that is in the stats`;
    const message = `${what}: send the event with user_id, or again once it is there`;
    return rejected(eventId, { field, reason: RejectReason.UNKNOWN_TARGET, message, received });
  }
  if (another !== undefined) {
    const message = `user_id is required: several users sent a ${OR.format(types)} under this ${field}`;
    return rejected(eventId, { field: 'user_id', reason: RejectReason.REQUIRED, message });
  }
  return userless.withUser(user);
}

const OR = new Intl.ListFormat('en', { type: 'disjunction' });
