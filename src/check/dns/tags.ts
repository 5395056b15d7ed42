/** Records of the form `v=DKIM1; k=rsa; p=…` (RFC 6376 3.2), as DKIM and DMARC have them. */

/** Tags by lower-case name, in their order; of a repeated one the first. */
export function readTags(text: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (const part of text.split(';')) {
    const [, name, value] = /^\s*([a-z][\w]*)\s*=\s*(.*?)\s*$/is.exec(part) ?? [];
    if (name !== undefined && !tags.has(name.toLowerCase()))
      tags.set(name.toLowerCase(), value ?? '');
  }
  return tags;
}
