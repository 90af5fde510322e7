/** What the reason of a letter begins with whose record can be read, but made the fold fail. */
export const SET_ASIDE = 'set aside: ';

/** A record of raw-events that was set aside, as its letter in raw-events.DLT tells. */
export interface SetAsideLetter {
  /** Of the record in raw-events, in the partition that the letter has. */
  offset: number;
  /** When the record arrived, in ms since 1970-01-01 UTC. */
  arrival: number;
  reason: string;
}

/** Headers of a letter beside those of its record, as Spring Kafka names them. */
export function letterHeaders(record: { partition: number; offset: number; appendTime: number }, reason: string) {
  return {
    'kafka_dlt-original-topic': 'raw-events',
    'kafka_dlt-original-partition': String(record.partition),
    'kafka_dlt-original-offset': String(record.offset),
    'kafka_dlt-original-timestamp': String(record.appendTime),
    'kafka_dlt-exception-message': reason,
  };
}

/** What a letter with these headers set aside; undefined if it is of another kind. */
export function setAsideOf(headers: Readonly<Record<string, string>>): SetAsideLetter | undefined {
  const reason = headers['kafka_dlt-exception-message'];
  if (!reason?.startsWith(SET_ASIDE)) return undefined;
  const offset = Number(headers['kafka_dlt-original-offset']);
  return { offset, arrival: Number(headers['kafka_dlt-original-timestamp']), reason };
}
