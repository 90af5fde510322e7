import { useState } from 'preact/hooks';
import type { DeadLetter, ListedConflict } from '../../../../../gen/ts/clickmesh/v1/reports_pb.js';
import { BASE, stats } from '../../data/client.ts';
import { useQuery } from '../../data/query.ts';
import { count } from '../../format/number.ts';
import { shortDateTime } from '../../format/time.ts';
import { Icon } from '../../parts/icon.tsx';
import { Loading, Notice, Refused, StaleBanner } from '../../parts/states.tsx';
import { changeOwn, useUrl } from '../../state/url.ts';
import { ConflictDrawer, differenceOf, LetterDrawer } from './records.tsx';

/** Rows of each kind at first, and on request, which is the most that the contract allows. */
const FIRST_ROWS = 50;
const MOST_ROWS = 1000;
/** How long a list is good enough, in ms. */
const GOOD_MS = 10_000;

const keyOfLetter = ({ topic, partition, offset }: DeadLetter) => `${topic} ${partition} ${offset}`;
const keyOfConflict = ({ notKept }: ListedConflict) =>
  `conflict ${notKept?.eventType} ${notKept?.eventId} ${notKept?.version}`;

interface Row {
  key: string;
  kind: 'dead letter' | 'conflict';
  reason: string;
  place: string;
  time: number;
}

/** What was not counted as it was sent: records that could not be taken, and events whose id was known otherwise. */
export function Letters({ zone }: { zone: string }) {
  const { own } = useUrl();
  const [limit, setLimit] = useState(FIRST_ROWS);
  const letters = useQuery(`letters ${limit}`, (signal) => stats.listDeadLetters({ limit }, { signal }), GOOD_MS);
  const conflicts = useQuery(`conflicts ${limit}`, (signal) => stats.listConflicts({ limit }, { signal }), GOOD_MS);
  const listed = {
    letters: [...(letters.value?.deadLetters ?? []), ...(letters.value?.setAside ?? [])],
    conflicts: conflicts.value?.conflicts ?? [],
  };
  const rows = [...listed.letters.map(rowOfLetter), ...listed.conflicts.map((one) => rowOfConflict(one, zone))];
  rows.sort((a, b) => b.time - a.time);
  const setAside = BigInt(letters.value?.setAside.length ?? 0);
  const total = (letters.value?.total ?? 0n) + setAside + (conflicts.value?.total ?? 0n);
  const isKnown = letters.value !== undefined && conflicts.value !== undefined;
  const errors = [letters.error, conflicts.error].filter((error) => error !== undefined);
  const letter = listed.letters.find((one) => keyOfLetter(one) === own.record);
  const conflict = listed.conflicts.find((one) => keyOfConflict(one) === own.record);
  return (
    <div class="card">
      <header>
        <h2>Dead letters and conflicts</h2>
        {isKnown && total > 0n && (
          <span class="tag warn">
            <Icon name="warn" small />
            {count(total)} to look at
          </span>
        )}
        <span class="grow" />
        <a class="btn ghost" href={`${BASE}/api/v1/dead-letters?limit=${MOST_ROWS}`} target="_blank" rel="noreferrer">
          Dead letters, JSON
        </a>
        <a class="btn ghost" href={`${BASE}/api/v1/conflicts?limit=${MOST_ROWS}`} target="_blank" rel="noreferrer">
          Conflicts, JSON
        </a>
      </header>
      <StaleBanner error={letters.staleError ?? conflicts.staleError} />
      {errors.map((error, i) => (
        <Refused key={i} error={error} />
      ))}
      {!isKnown && errors.length === 0 && <Loading lines={3} />}
      {isKnown && total === 0n && (
        <Notice title="None">
          <p>Every record was taken, and no event came twice with different content.</p>
        </Notice>
      )}
      {rows.length > 0 && <Rows rows={rows} zone={zone} />}
      {isKnown && BigInt(rows.length) < total && (
        <div class="stamp">
          <span>
            <b>{count(BigInt(rows.length))}</b> of {count(total)} shown, the newest of each kind
          </span>
          {limit < MOST_ROWS && (
            <button type="button" onClick={() => setLimit(MOST_ROWS)}>
              Show {count(BigInt(MOST_ROWS))} of each
            </button>
          )}
        </div>
      )}
      {letter !== undefined && <LetterDrawer letter={letter} zone={zone} />}
      {conflict !== undefined && <ConflictDrawer conflict={conflict} zone={zone} />}
    </div>
  );
}

function Rows({ rows, zone }: { rows: readonly Row[]; zone: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
    <section class="tscroll" tabIndex={0} aria-label="Dead letters and conflicts">
      <table class="stack letters">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Reason</th>
            <th scope="col">Partition @ offset</th>
            <th scope="col">When</th>
            <th scope="col">
              <span class="sr">record</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, kind, reason, place, time }) => (
            <tr key={key}>
              <td>
                <span class={`tag ${kind === 'conflict' ? 'warn' : 'bad'}`}>{kind}</span>
              </td>
              <td class="full truncate reason" data-tip={reason}>
                {reason}
              </td>
              <td class="soft">{place}</td>
              <td class="soft">{shortDateTime(time, zone)}</td>
              <td>
                <button type="button" class="linkish" onClick={() => changeOwn({ record: key })}>
                  {kind === 'conflict' ? 'Compare' : 'Record'}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function rowOfLetter(letter: DeadLetter): Row {
  const { topic, partition, offset, error, arrivalTime } = letter;
  const place = `${topic === 'raw-events' ? '' : `${topic} `}${partition} @ ${count(offset)}`;
  return { key: keyOfLetter(letter), kind: 'dead letter', reason: error, place, time: Number(arrivalTime) };
}

function rowOfConflict(conflict: ListedConflict, zone: string): Row {
  const { notKept, arrivalTime } = conflict;
  const { eventType = '', eventId = '', userId = '', version = 0n } = notKept ?? {};
  const reason = `${eventType} ${eventId.slice(0, 8)}…${eventId.slice(-4)} of ${userId}: ${differenceOf(conflict, zone)}`;
  const place = `offset ${count(version)}`;
  return { key: keyOfConflict(conflict), kind: 'conflict', reason, place, time: Number(arrivalTime) };
}
