import type { DescService } from '@bufbuild/protobuf';
import type { ConnectRouter, ConnectRouterOptions } from '@connectrpc/connect';

/** Callback for a service that a router takes in. Its methods are by their local names. */
export type OnService = (
  service: DescService,
  implementation: Readonly<Record<string, unknown>>,
  options: ConnectRouterOptions | undefined,
) => void;

/** A router that also calls `onService` for each service that it takes in. */
export function watchRouter(router: ConnectRouter, onService: OnService): ConnectRouter {
  return {
    ...router,
    get handlers() {
      return router.handlers;
    },
    service(service, implementation, options) {
      onService(service, implementation as Record<string, unknown>, options);
      router.service(service, implementation, options);
      return this;
    },
  };
}
