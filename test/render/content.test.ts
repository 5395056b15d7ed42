import { describe, expect, test } from 'vitest';
import { compareContent, contentOf, firstMissing } from '../../src/render/content.ts';

const html = (body: string) =>
  `<!doctype html><html><head><title>t</title></head><body>${body}</body></html>`;
const mjml = (body: string) =>
  `<mjml><mj-head><mj-title>t</mj-title></mj-head><mj-body>${body}</mj-body></mjml>`;

describe('the content of markup', () => {
  test('is its words without white space, its links and the number of its pictures', () => {
    expect(
      contentOf(
        html('<p>一 二\n <a href="https://a.example/?x&amp;y">three</a>&nbsp;<img alt="no"></p>'),
      ),
    ).toEqual({
      text: '一二three',
      links: ['https://a.example/?x&y'],
      images: 1,
      components: [],
    });
  });

  test('head, style sheets, comments and hidden lines are none of it', () => {
    const silent =
      '<style>p {}</style><!-- note --><div style="display: none">again</div><script>x</script>';
    expect(contentOf(html(silent)).text).toBe('');
  });

  test('of MJML is found in its components', () => {
    const source = mjml(
      '<mj-text><p>a &lt;b&gt;</p></mj-text><mj-image src="x" href="https://a.example/" /><mj-button href="https://b.example/">go</mj-button>',
    );
    expect(contentOf(source)).toMatchObject({
      text: 'a<b>go',
      links: ['https://a.example/', 'https://b.example/'],
      images: 1,
    });
  });
});

describe('H-31: what went in and what came out', () => {
  const source = mjml(
    '<mj-text>one <a href="https://a.example/">two</a> <img src="x"> three</mj-text>',
  );

  test('are equal when only markup and white space differ', () => {
    const result = html(
      '<table><tr><td>one\n<a href="https://a.example/" style="color:red">two</a><img src="x">  three</td></tr></table>',
    );
    expect(compareContent(source, result)).toBeUndefined();
  });

  test.each([
    ['words', html('one <a href="https://a.example/">two</a><img src="x">'), /"three"/],
    ['a link', html('one two <img src="x"> three'), /link got lost: https:\/\/a\.example\//],
    [
      'the target of a link',
      html('one <a href="https://b.example/">two</a><img src="x"> three'),
      /a\.example/,
    ],
    [
      'a picture',
      html('one <a href="https://a.example/">two</a> three'),
      /1 pictures went in, 0 came out/,
    ],
    [
      'a component that is left as it is',
      html('<mj-text>one <a href="https://a.example/">two</a><img src="x"> three</mj-text>'),
      /not closed/,
    ],
  ])('a loss is noticed: %s', (_, result, message) => {
    expect(compareContent(source, result)?.message).toMatch(message);
  });

  test('words that were added are noticed too', () => {
    expect(compareContent(mjml('<mj-text>one</mj-text>'), html('one two'))).toBeDefined();
  });
});

describe('texts in a rendered part', () => {
  test('are all there, in their order', () => {
    expect(firstMissing('xayabzbc', ['a', 'ab', 'bc'])).toBeUndefined();
    expect(firstMissing('xbya', ['a', 'b'])).toBe('b');
    expect(firstMissing('aa', ['a', 'a', 'a'])).toBe('a');
    expect(firstMissing('', ['', ''])).toBeUndefined();
  });
});
