/** MJML → HTML, with the settings that a mail needs and nothing that differs from run to run. */
import mjml2html from 'mjml';

/** A mistake in the MJML, `line` counted from 1 in the MJML as it was given. */
export interface MjmlProblem {
  message: string;
  line: number;
}

/**
 * Compiles MJML (H-28 to H-30).
 * @returns the HTML, or what is wrong with the MJML
 */
export async function compileMjml(mjml: string): Promise<{ html: string } | MjmlProblem[]> {
  try {
    const { html } = await mjml2html(mjml, {
      validationLevel: 'strict',
      fonts: {},
      minify: false,
      beautify: false,
      keepComments: false,
      ignoreIncludes: true,
      // `height: auto` in the styles must not become the attribute: Outlook goes by the one that stands there.
      juiceOptions: { applyHeightAttributes: false },
    });
    return { html: tidy(html) };
  } catch (error) {
    return problemsOf(error as Error);
  }
}

/**
 * Takes MJML's indentation away: a quarter of the bytes. Only white space after a tag's end and
 * before a tag's start goes, and a line break stays, so no word moves (H-33).
 */
function tidy(html: string): string {
  const lines = html.replace(/>[ \t]*\n\s*(?=<)/g, '>\n');
  return `${lines.replace(/<style[\s\S]*?<\/style>/g, (style) => style.replace(/\n\s*/g, '\n')).trim()}\n`;
}

interface ValidationError {
  errors?: { line: number; message: string; tagName: string }[];
}

/** MJML's own text of an error names the working directory; tag and message are enough. */
function problemsOf(error: Error & ValidationError): MjmlProblem[] {
  if (!error.errors) return [{ message: error.message, line: 1 }];
  return error.errors.map(({ line, message, tagName }) => ({
    message: `<${tagName}>: ${message}`,
    line,
  }));
}
