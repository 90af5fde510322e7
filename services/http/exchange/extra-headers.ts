import { corsHeaders } from './cors.ts';
import { NOTICE_HEADER } from './http-message.ts';

type Asked = Parameters<typeof corsHeaders>[0] & { notice?: (() => string | undefined) | undefined };

/** Headers that the answer to a request needs besides its own. */
export function extraHeaders(exchange: Asked): Readonly<Record<string, string>> {
  const notice = exchange.notice?.();
  return notice === undefined ? corsHeaders(exchange) : { ...corsHeaders(exchange), [NOTICE_HEADER]: notice };
}
