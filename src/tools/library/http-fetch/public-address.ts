import ipaddr from 'ipaddr.js';

/** Routed like any other address, and yet not public: who asks from inside a cloud gets the platform's own service. */
const PLATFORM_ADDRESSES: ReadonlySet<string> = new Set(['168.63.129.16']);

/**
 * The range of addresses that the internet's registries assign. Outside of it are, besides what has a name, ways to write a v4
 * address as v6.
 */
const GLOBAL_V6 = ipaddr.IPv6.parseCIDR('2000::/3');
const DOCUMENTATION_V6 = ipaddr.IPv6.parseCIDR('3fff::/20');

/**
 * True for an address on the public internet. Anything else is refused, known or not: loopback, private, link-local and
 * metadata services, carrier-grade NAT, multicast, reserved, and every v6 form that carries a v4 address.
 */
export function isPublicAddress(address: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) {
    return ipaddr.IPv4.parse(address).range() === 'unicast' && !PLATFORM_ADDRESSES.has(address);
  }
  if (!ipaddr.IPv6.isValid(address)) return false;
  const v6 = ipaddr.IPv6.parse(address);
  return v6.range() === 'unicast' && v6.match(GLOBAL_V6) && !v6.match(DOCUMENTATION_V6);
}
