import type { DescService } from '@bufbuild/protobuf';
import type { ConnectRouter, ConnectRouterOptions } from '@connectrpc/connect';

/** Told of a service, its methods by their local names, and its options. */
export type OnService = (
  service: DescService,
  implementation: Readonly<Record<string, unknown>>,
  options: ConnectRouterOptions | undefined,
) => void;

/** A router that also tells of each service that it takes in. */
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
