/** The part of mailauth that its own types leave out. */
declare module 'mailauth/lib/dmarc/get-dmarc-record.js' {
  type Resolve = (name: string, type: string) => Promise<string[][]>;
  type Lookup = (name: string) => Promise<object | false>;
  export function createRecordLookup(resolver: Resolve): Lookup;
  export function discoverPolicy(
    domain: string,
    lookup: Lookup,
  ): Promise<{ record: object | false; recordDomain: string | null; orgDomain: string }>;
  export function getPolicyTags(record: object): { p: string; sp?: string } | null;
}
