/** Addresses that only this machine reaches. */
const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/i;

/** The first lines that a newcomer sees: what listens where, and a first event to send. */
export function banner(url: string, config: { DATA_DIR: string; HOST: string }): string {
  return `
clickmesh is ready at ${url} (REST, Connect, gRPC and gRPC-Web on this one port)
  dashboard  ${url}/
  data       ${config.DATA_DIR}
  health     ${url}/readyz
${LOOPBACK.test(config.HOST) ? '' : unguarded(config.HOST)}
Send a first click:
  curl -X POST ${url}/api/v1/events -H 'content-type: application/json' -d '{
    "event_type": "click", "event_id": "3f0c1b2e-9d6a-4c57-8a3b-5e1f7d2c4b6a", "user_id": "user-123",
    "ad_id": "ad-456", "campaign_id": "camp-789", "source": "facebook", "timestamp": '$(date +%s000)'}'
and see it counted:
  curl '${url}/api/v1/stats?start_date='$(date -u +%F)'&end_date='$(date -u +%F)

Ctrl-C drains and stops.
`;
}

function unguarded(host: string): string {
  return `
WARNING: HOST=${host} is more than this machine, and nothing guards the port yet: no TLS, no authentication.
Anybody who reaches it can send events and read all numbers. Keep it behind a proxy that has both.
`;
}
