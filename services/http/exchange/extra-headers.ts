import { corsHeaders } from './cors.ts';
import type { Exchange } from './exchange.ts';
import { NOTICE_HEADER } from './http-message.ts';

/** Headers that the answer needs besides its own. */
export function extraHeaders(exchange: Exchange): Readonly<Record<string, string>> {
  const notice = exchange.notice?.();
  return notice === undefined ? corsHeaders(exchange) : { ...corsHeaders(exchange), [NOTICE_HEADER]: notice };
}
