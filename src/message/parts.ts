/** A message taken apart byte by byte, for those who look at how it is written (RFC 5322, 2045, 2046). */

export interface RawField {
  name: string;
  /** Unfolded, without the space at its ends; latin1. */
  value: string;
  /** As it stands, with its folding, without its last CRLF; latin1. */
  raw: string;
}

export interface RawPart {
  fields: RawField[];
  /** In lower case, without parameters: `text/plain`. */
  type: string;
  charset: string;
  /** Decoded. */
  bytes: Buffer;
}

export interface RawMessage {
  bytes: Buffer;
  /** Octets of the header block, with the empty line. */
  headerBytes: number;
  fields: RawField[];
  type: string;
  /** Of a multipart message, in order; else the one body. */
  parts: RawPart[];
}

/** Takes a message with CRLF lines apart. What is not as it should be is left for others to say. */
export function takeApart(bytes: Buffer): RawMessage {
  const { fields, body, headerBytes } = split(bytes.toString('latin1'));
  const { type, parameters } = contentType(fields);
  const boundary = /boundary="?([^";]+)"?/i.exec(parameters)?.[1];
  const parts = boundary
    ? body
        .split(`--${boundary}`)
        .slice(1, -1)
        .map((part) => partOf(part.replace(/^\r\n/, '').replace(/\r\n$/, '')))
    : [partOf(bytes.toString('latin1'))];
  return { bytes, headerBytes, fields, type, parts };
}

/** Fields of a name, in any case. */
export function fieldsNamed({ fields }: { fields: RawField[] }, name: string): RawField[] {
  return fields.filter((field) => field.name.toLowerCase() === name.toLowerCase());
}

/** The text of the first part of a type; empty where there is none. */
export function textOfPart({ parts }: RawMessage, type: string): string {
  return parts.find((part) => part.type === type)?.bytes.toString('utf8') ?? '';
}

function split(text: string): { fields: RawField[]; body: string; headerBytes: number } {
  const end = text.indexOf('\r\n\r\n');
  const header = end === -1 ? text : text.slice(0, end);
  const raws = header.split(/\r\n(?![ \t])/);
  const fields = raws.map((raw) => {
    const colon = raw.indexOf(':');
    const value = raw.slice(colon + 1).replace(/\r\n(?=[ \t])/g, '');
    return { name: raw.slice(0, Math.max(0, colon)).trim(), value: value.trim(), raw };
  });
  return { fields, body: end === -1 ? '' : text.slice(end + 4), headerBytes: header.length + 4 };
}

function partOf(text: string): RawPart {
  const { fields, body } = split(text);
  const { type, parameters } = contentType(fields);
  const encoding = fieldsNamed({ fields }, 'Content-Transfer-Encoding')[0]?.value.toLowerCase();
  return {
    fields,
    type,
    charset: /charset="?([^";\s]+)"?/i.exec(parameters)?.[1]?.toLowerCase() ?? 'us-ascii',
    bytes: decode(body, encoding),
  };
}

function contentType(fields: RawField[]): { type: string; parameters: string } {
  const value = fieldsNamed({ fields }, 'Content-Type')[0]?.value ?? 'text/plain';
  const [type = '', ...rest] = value.split(';');
  return { type: type.trim().toLowerCase(), parameters: rest.join(';') };
}

function decode(body: string, encoding: string | undefined): Buffer {
  if (encoding === 'base64') return Buffer.from(body, 'base64');
  if (encoding !== 'quoted-printable') return Buffer.from(body, 'latin1');
  const text = body
    .replace(/[ \t]+(?=\r\n)/g, '')
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, 'latin1');
}
