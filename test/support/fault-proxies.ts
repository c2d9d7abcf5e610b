import { afterEach } from '@jest/globals';
import { FaultProxy } from '../../src/testing/fault.proxy.js';

/** Puts proxies before servers, to break connections. Closed after each test. */
export function faultProxies(): (server: { readonly port: number | undefined }) => Promise<FaultProxy> {
  const proxies: FaultProxy[] = [];
  afterEach(async () => {
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });
  return async (server) => {
    const proxy = await FaultProxy.listen({ target: () => server.port });
    proxies.push(proxy);
    return proxy;
  };
}
