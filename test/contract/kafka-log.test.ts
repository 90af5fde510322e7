import { afterAll, beforeAll, describe } from 'vitest';
import { openKafkaLog } from '../../services/log/kafka/log.ts';
import { startTestKafka, type TestKafka } from '../fixtures/kafka.ts';
import { KAFKA } from '../needs.ts';
import { eventLogContract } from './event-log.ts';

describe('with a broker', { tags: KAFKA }, () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startTestKafka();
  });
  afterAll(() => kafka.close());

  eventLogContract('the Kafka log', async () => {
    await kafka.emptyTopics();
    const openHere = () => openKafkaLog({ bootstrap: kafka.bootstrap, clientId: 'contract' });
    let log = await openHere();
    return {
      log,
      async reopen() {
        await log.close();
        log = await openHere();
        return log;
      },
      destroy: () => log.close(),
    };
  });
});
