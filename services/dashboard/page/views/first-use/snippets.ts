/** How an event is sent, by the language. */
export function snippets(url: string): readonly [language: string, code: string][] {
  const { host } = new URL(url);
  const now = Date.now();
  return [
    [
      'curl',
      `curl -X POST ${url}/api/v1/events \\
  -H 'content-type: application/json' -d '[{
  "event_type": "click",
  "event_id": "0f5a8a4e-3f0a-4a86-9f3d-0c4e9b6f7a01",
  "user_id": "user-123", "ad_id": "ad-456",
  "campaign_id": "camp-789", "source": "facebook",
  "timestamp": ${now - 3_600_000}
}, {
  "event_type": "conversion",
  "event_id": "7c1d2e3f-5b6a-4c7d-8e9f-0a1b2c3d4e5f",
  "user_id": "user-123", "type": "purchase", "source": "shop",
  "value": 19.99, "timestamp": ${now}
}]'`,
    ],
    [
      'grpcurl',
      `grpcurl -plaintext -d '{"event": {"click": {
  "event_id": "0f5a8a4e-3f0a-4a86-9f3d-0c4e9b6f7a01",
  "user_id": "user-123", "ad_id": "ad-456",
  "campaign_id": "camp-789", "source": "facebook",
  "timestamp": ${now}
}}}' ${host} clickmesh.v1.IngestService/Ingest`,
    ],
    [
      'TypeScript',
      `import { connectClickmesh } from 'clickmesh-client';

const client = connectClickmesh('${url}');
client.track({
  type: 'click', userId: 'user-123', adId: 'ad-456',
  campaignId: 'camp-789', source: 'facebook',
});
await client.close();`,
    ],
  ];
}
