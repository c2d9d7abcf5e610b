import ipaddr from 'ipaddr.js';

/** The parts of a request that tell the caller's address. Express and Fastify both put it into `ip`, by their proxy settings. */
export interface AddressedRequest {
  readonly ip?: string;
  readonly socket?: { readonly remoteAddress?: string } | null;
}

const ADDRESSES = new WeakMap<object, string>();

/** Returns the caller's network address, as far as the framework's `trust proxy` setting tells it. */
export function callerAddress(request: AddressedRequest): string | undefined {
  const address = ADDRESSES.get(request) ?? request.ip ?? request.socket?.remoteAddress;
  // An IPv4 caller of a socket that listens on IPv6.
  return address?.replace(/^::ffff:(?=[\d.]+$)/i, '');
}

/**
 * Keeps where a request came from, whose socket forgets it when it closes; or where a principal asked from, for the security events of
 * its request. Not in the principal, which is stored with runs.
 */
export function rememberAddress(of: object, address: string | undefined): void {
  if (address !== undefined) ADDRESSES.set(of, address);
}

export function rememberedAddress(of: object): string | undefined {
  return ADDRESSES.get(of);
}

/** Returns what counts as one caller: the address, and of IPv6 the network of 64 bits, of which one caller has all addresses. */
export function addressBlock(address: string): string {
  if (!ipaddr.IPv6.isValid(address)) return address;
  const parts = ipaddr.IPv6.parse(address).parts.slice(0, 4);
  return `${parts.map((part) => part.toString(16)).join(':')}::/64`;
}
