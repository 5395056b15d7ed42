/** Whoever restyles a mail is told what is wrong, in which file and on which line. */
import { describe, expect, test } from 'vitest';
import { BroadsheetError, type Problem } from '../../src/errors.ts';
import { renderEmail } from '../../src/render/email.ts';
import type { Templates } from '../../src/render/templates.ts';
import { chineseIssue, imprint, weekly } from './issues.ts';

/** The bundled templates with a change in one partial. */
function withPartial(name: string, change: (source: string) => string): Templates {
  const file = weekly.partials[name];
  if (!file) throw new Error(`no partial ${name}`);
  const partials = { ...weekly.partials, [name]: { ...file, source: change(file.source) } };
  return { ...weekly, partials };
}

async function problemsOf(templates: Templates): Promise<readonly Problem[]> {
  const error = await renderEmail(chineseIssue(), imprint, templates).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(BroadsheetError);
  expect(error).toMatchObject({ kind: 'input', code: 'template-invalid' });
  return error.problems;
}

/** A small template around one line of MJML, which is line 4 of the file. */
function around(line: string): Templates {
  const source = `<mjml lang="en" dir="ltr">
<mj-body>
<mj-section><mj-column>
${line}
<mj-text>{{opening}}{{#each sections}}{{name}}{{prose}}{{#each items}}{{headline}}{{body}}
{{#each links}}<a href="{{url}}">{{text}}</a>{{/each}}{{/each}}{{/each}}</mj-text>
<mj-text><a href="{{slot 'unsubscribe'}}">leave</a></mj-text>
</mj-column></mj-section>
</mj-body>
</mjml>
`;
  return { ...weekly, mjml: { file: 'templates/small.mjml.hbs', source } };
}

test('the small template that these tests spoil is sound', async () => {
  const { email } = await renderEmail(chineseIssue(), imprint, around('<mj-text>words</mj-text>'));
  expect(email.html).toContain('words');
});

describe('mistakes in Handlebars', () => {
  test.each([
    ['an unclosed block', '{{#if chinese}}', /Not understood: .*Expecting/, undefined],
    ['blocks that cross', '{{#if chinese}}{{/each}}', /if doesn't match each/, 4],
    ['a helper that does not exist', "{{shout 'x'}}", /There is no helper "shout"/, 4],
    ['a block helper that does not exist', '{{#repeat 3}}x{{/repeat}}', /no helper "repeat"/, 4],
    ['a helper inside another', '{{#if (equal 1 2)}}x{{/if}}', /no helper "equal"/, 4],
    ['a partial that does not exist', '{{> sidebar}}', /There is no partial "sidebar"/, 4],
    ['a slot that does not exist', "{{slot 'horoscope'}}", /There is no slot "horoscope"/, 4],
    ['a word that does not exist', "{{word 'horoscope'}}", /There is no word "horoscope"/, 4],
    ['a field that does not exist', '<mj-text>{{weather}}</mj-text>', /"weather" not defined/, 4],
    [
      'triple braces',
      '<mj-text>{{{title}}}</mj-text>',
      /\{\{\{title}}} prints unchecked markup/,
      4,
    ],
    ['an ampersand, which means the same', '<mj-text>{{&title}}</mj-text>', /unchecked/, 4],
  ])('%s', async (_, line, message, number) => {
    const [problem] = await problemsOf(around(line));
    expect(problem?.message).toMatch(message);
    expect(problem?.file).toBe('templates/small.mjml.hbs');
    if (number) expect(problem?.line).toBe(number);
    else expect(problem?.line).toBeGreaterThanOrEqual(4);
  });

  test('in a partial name the partial', async () => {
    const templates = withPartial('item', (source) => `\n{{weather}}\n${source}`);
    expect(await problemsOf(templates)).toMatchObject([
      { file: 'templates/partials/item.hbs', line: 2 },
    ]);
  });

  test('in a partial that no part uses are found too, and all at once', async () => {
    const partials = {
      ...weekly.partials,
      a: { file: 'templates/partials/a.hbs', source: '{{> nowhere}}' },
      b: { file: 'templates/partials/b.hbs', source: "\n\n  {{slot 'nothing'}}" },
    };
    expect(await problemsOf({ ...weekly, partials })).toMatchObject([
      { file: 'templates/partials/a.hbs', line: 1, column: 1 },
      { file: 'templates/partials/b.hbs', line: 3, column: 3 },
    ]);
  });

  test('in the text part are found before anything is rendered', async () => {
    const text = { file: 'templates/weekly.txt.hbs', source: 'x\n{{> nowhere}}' };
    expect(await problemsOf({ ...weekly, text })).toMatchObject([{ file: text.file, line: 2 }]);
  });

  test.each(['constructor', '__proto__', 'toString'])(
    '%s of the data is out of reach',
    async (name) => {
      const templates = around(`<mj-text>[{{sender.${name}}}]</mj-text>`);
      const result = await renderEmail(chineseIssue(), imprint, templates).catch(
        (thrown) => thrown,
      );
      if (result instanceof BroadsheetError) expect(result.message).toContain(name);
      else expect(result.email.html).toContain('[]');
    },
  );
});

describe('mistakes in MJML', () => {
  test('an attribute that does not exist', async () => {
    const [problem] = await problemsOf(around('<mj-text colour="red">x</mj-text>'));
    expect(problem).toMatchObject({ file: 'templates/small.mjml.hbs', line: 4 });
    expect(problem?.message).toMatch(/<mj-text>: Attribute colour is illegal/);
  });

  test('a component that does not exist, in a partial', async () => {
    const templates = withPartial('footer', (source) =>
      source.replace(/<(\/?)mj-column/g, '<$1mj-pillar'),
    );
    const line = weekly.partials.footer?.source
      .split('\n')
      .findIndex((text) => text.includes('<mj-column'));
    const [problem] = await problemsOf(templates);
    expect(problem).toMatchObject({
      file: 'templates/partials/footer.hbs',
      line: Number(line) + 1,
    });
    expect(problem?.message).toMatch(/mj-pillar/);
  });

  test('no MJML at all', async () => {
    const mjml = { file: 'templates/small.mjml.hbs', source: 'hello' };
    expect(await problemsOf({ ...weekly, mjml })).toMatchObject([{ file: mjml.file }]);
  });

  test('messages name no path of this machine', async () => {
    const [problem] = await problemsOf(around('<mj-text colour="red">x</mj-text>'));
    expect(problem?.message).not.toContain(process.cwd());
  });
});

describe('H-31: what MJML would drop without a word', () => {
  test.each([
    ['text between components', 'loose words'],
    ['a loop between components', '{{#each sections}}{{name}} {{/each}}'],
    ['what follows a component closed too early', '<mj-text>one</mj-text> two </mj-text>'],
    ['a component that is not closed', '<mj-text>one'],
  ])('%s', async (_, line) => {
    const [problem] = await problemsOf(around(line));
    expect(problem?.message).toMatch(/got lost|is perhaps not closed/);
    expect(problem?.file).toBe('templates/small.mjml.hbs');
  });

  test('the place is named', async () => {
    const [problem] = await problemsOf(around('<mj-text>kept</mj-text>\nloose words'));
    expect(problem?.message).toContain('"loosewords');
    expect(problem?.line).toBe(4);
  });

  test('a template that leaves out an item’s text is refused, in either part', async () => {
    const html = withPartial('item', (source) => source.replace('{{body}}', ''));
    expect((await problemsOf(html))[0]?.message).toMatch(
      /leaves out what the issue says: "tensorrt-llm今天/,
    );
    const text = { ...weekly.text, source: weekly.text.source.replace('{{prose}}', '') };
    const [problem] = await problemsOf({ ...weekly, text });
    expect(problem).toMatchObject({ file: 'templates/weekly.txt.hbs' });
    expect(problem?.message).toMatch(/模型一栏的话/);
  });

  test('a template that turns the order of items round is refused', async () => {
    const text = {
      ...weekly.text,
      source:
        '{{slot "unsubscribe"}}{{#each sections}}{{#each items}}{{body}}{{headline}}{{/each}}{{/each}}',
    };
    expect(await problemsOf({ ...weekly, text })).toMatchObject([
      { file: 'templates/weekly.txt.hbs' },
    ]);
  });
});

describe('slots', () => {
  test('a slot inside a comment gets lost, and that is an error', async () => {
    const [problem] = await problemsOf(around("<!-- {{slot 'web'}} -->"));
    expect(problem?.message).toMatch(/Slots came out differently: printed .*web 1/);
  });

  test.each(['mjml', 'text'] as const)(
    'a %s part without a way to unsubscribe is refused',
    async (part) => {
      const source = weekly.text.source.replace(/.*slot 'unsubscribe'.*\n/, '');
      const templates =
        part === 'text'
          ? { ...weekly, text: { ...weekly.text, source } }
          : withPartial('footer', (footer) =>
              footer.replace(
                /<a href="{{slot 'unsubscribe'}}">/,
                '<a href="https://example.com/">',
              ),
            );
      expect((await problemsOf(templates))[0]?.message).toBe('Readers could not unsubscribe');
    },
  );
});
