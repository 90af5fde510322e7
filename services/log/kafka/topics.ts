import { Admin, ConfigResourceTypes } from '@platformatic/kafka';
import { COMPACTED, TOPICS, type Topic } from '../../contract/topics.ts';
import { brokerErrors } from './errors.ts';

export interface KafkaTopicSettings {
  /** Partitions of every topic: outputs go to the partition of the record that caused them. */
  partitions: number;
  replicationFactor: number;
  /** How long records are kept, in ms; -1 for ever. */
  retentionMs: number;
  /** Bytes kept of each partition; -1 for no limit. */
  retentionBytes: number;
}

/** A batch of the producer may reach 1 MiB and then take one more record of up to 1 MiB; and some overhead. */
const MAX_MESSAGE_BYTES = 4 << 20;

/**
 * Creates the topics that do not exist. Those that do stay as they are: one line is returned for each setting that
 * differs, as "raw-events: message.timestamp.type is CreateTime, not LogAppendTime". Rejects if no broker answers.
 */
export async function createKafkaTopics(bootstrap: string, settings: KafkaTopicSettings): Promise<string[]> {
  const admin = new Admin({ clientId: 'clickmesh-topics', bootstrapBrokers: bootstrap.split(',') });
  try {
    const existing: Topic[] = [];
    for (const topic of TOPICS) if (!(await createTopic(admin, topic, settings))) existing.push(topic);
    return existing.length === 0 ? [] : await differences(admin, existing, settings);
  } finally {
    await admin.close();
  }
}

/** False if it exists. */
async function createTopic(admin: Admin, topic: Topic, settings: KafkaTopicSettings): Promise<boolean> {
  const configs = Object.entries(topicConfig(topic, settings)).map(([name, value]) => ({ name, value }));
  const { partitions, replicationFactor: replicas } = settings;
  try {
    await admin.createTopics({ topics: [topic], partitions, replicas, configs });
    return true;
  } catch (error) {
    if (brokerErrors(error).includes('TOPIC_ALREADY_EXISTS')) return false;
    throw error;
  }
}

function topicConfig(topic: Topic, settings: KafkaTopicSettings): Record<string, string> {
  const { replicationFactor, retentionMs, retentionBytes } = settings;
  return {
    'max.message.bytes': String(MAX_MESSAGE_BYTES),
    'min.insync.replicas': replicationFactor >= 3 ? '2' : '1',
    // The clock of a partition of raw-events is its records' arrival, which only the broker knows.
    'message.timestamp.type': topic === 'raw-events' ? 'LogAppendTime' : 'CreateTime',
    ...(COMPACTED.includes(topic)
      ? { 'cleanup.policy': 'compact' }
      : {
          'cleanup.policy': 'delete',
          'retention.ms': String(retentionMs),
          'retention.bytes': String(retentionBytes),
        }),
  };
}

async function differences(admin: Admin, topics: Topic[], settings: KafkaTopicSettings): Promise<string[]> {
  const resources = topics.map((resourceName) => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName }));
  const [metadata, described] = await Promise.all([admin.metadata({ topics }), admin.describeConfigs({ resources })]);
  return topics.flatMap((topic) => {
    const { partitions } = metadata.topics.get(topic)!;
    const configs = described.find(({ resourceName }) => resourceName === topic)!.configs;
    const actual = new Map(configs.map(({ name, value }) => [name, value ?? '']));
    actual.set('partitions', String(partitions.length)).set('replicas', String(partitions[0]!.replicas.length));
    const wanted = {
      partitions: String(settings.partitions),
      replicas: String(settings.replicationFactor),
      ...topicConfig(topic, settings),
    };
    return Object.entries(wanted)
      .filter(([name, value]) => actual.get(name) !== value)
      .map(([name, value]) => `${topic}: ${name} is ${actual.get(name)}, not ${value}`);
  });
}
