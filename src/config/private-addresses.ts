/** Addresses that no stranger may make us talk to: our own machine and network, and what is reserved. */
import { BlockList, isIP } from 'node:net';

/** IANA special-purpose registries (RFC 6890). */
const V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;
/** Loopback, NAT64 and 6to4 (which hold IPv4 addresses), unique local, link-local, multicast, documentation. */
const V6 = [
  ['::', 127],
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const;

const reserved = new BlockList();
for (const [net, bits] of V4) reserved.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of V6) reserved.addSubnet(net, bits, 'ipv6');

/** @param address in numbers, as `node:net` writes it; IPv4 in IPv6 counts as the IPv4 that it is */
export function isPrivateAddress(address: string): boolean {
  return reserved.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
