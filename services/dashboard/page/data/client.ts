import { createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { StatsService } from '../../../../gen/ts/clickmesh/v1/stats_service_pb.js';

/** Where the gateway is: the page's own folder, wherever a proxy puts that. Without a slash at its end. */
export const BASE = new URL('.', location.href).href.replace(/\/$/, '');

const transport: Transport = createConnectTransport({ baseUrl: BASE, useBinaryFormat: true });

export const stats = createClient(StatsService, transport);
