import { expect, test } from 'vitest';
import { fieldsNamed, takeApart, textOfPart } from '../../src/message/parts.ts';
import { readMessage } from '../../src/message/read.ts';
import { compose } from './sample.ts';

test('what is taken apart is what a mail program reads', async () => {
  const bytes = compose();
  const message = takeApart(bytes);
  const read = await readMessage(bytes);
  const lines = (text: string) => text.replace(/\r\n/g, '\n').trim();
  expect(message.type).toBe('multipart/alternative');
  expect(message.parts.map(({ type, charset }) => `${type} ${charset}`)).toEqual([
    'text/plain utf-8',
    'text/html utf-8',
  ]);
  expect(lines(textOfPart(message, 'text/html'))).toBe(lines(read.html));
  expect(lines(textOfPart(message, 'text/plain'))).toBe(lines(read.text));
});

test('fields are unfolded, and keep their folding beside', () => {
  const { fields, headerBytes } = takeApart(
    Buffer.from('Subject: one\r\n two\r\nX-A: 1\r\nx-a: 2\r\n\r\nbody'),
  );
  expect(fields[0]).toEqual({ name: 'Subject', value: 'one two', raw: 'Subject: one\r\n two' });
  expect(fieldsNamed({ fields }, 'X-A').map(({ value }) => value)).toEqual(['1', '2']);
  expect(headerBytes).toBe('Subject: one\r\n two\r\nX-A: 1\r\nx-a: 2\r\n\r\n'.length);
});

test('a message without end of its header, and one without parts, do not throw', () => {
  expect(takeApart(Buffer.from('Subject: x')).parts).toHaveLength(1);
  expect(takeApart(Buffer.alloc(0)).fields).toHaveLength(1);
});
