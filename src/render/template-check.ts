/** Mistakes in templates, found before anything is filled in. */
import { BroadsheetError, type Problem } from '../errors.ts';
import { SLOT_NAMES, type SlotName } from '../issue/email.ts';
import { HELPERS, parseTemplate } from './handlebars.ts';
import type { TemplateFile } from './templates.ts';
import { isWord } from './words.ts';

/**
 * Looks for every mistake that can be seen without filling in: syntax, names that do not exist, and
 * triple braces, which would let unchecked markup through (H-31).
 * @param partials all that the templates may draw on; they are checked too
 * @throws BroadsheetError `template-invalid` with all of them
 */
export function checkTemplates(
  templates: readonly TemplateFile[],
  partials: Record<string, TemplateFile>,
): void {
  const known = new Set(Object.keys(partials));
  const problems = [...templates, ...Object.values(partials)].flatMap((template) => {
    const program = parseTemplate(template);
    return 'message' in program ? [program] : unknownNames(program, template.file, known);
  });
  if (problems.length > 0) throw new BroadsheetError('input', 'template-invalid', problems);
}

type Call = hbs.AST.Node & {
  path: hbs.AST.PathExpression;
  params: hbs.AST.Expression[];
  hash?: hbs.AST.Hash;
};
type Partial = hbs.AST.Node & { name: hbs.AST.Expression };
type Report = (message: string, node: hbs.AST.Node, hint?: string) => void;

function unknownNames(program: hbs.AST.Program, file: string, partials: Set<string>): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (message, { loc: { start } }, hint) =>
    problems.push({ message, file, line: start.line, column: start.column + 1, hint });
  for (const node of nodesOf(program)) {
    if (/^(MustacheStatement|BlockStatement|SubExpression)$/.test(node.type))
      checkCall(node as Call, report);
    if (/^Partial/.test(node.type)) checkPartial(node as Partial, partials, report);
  }
  return problems;
}

function* nodesOf(value: unknown): Generator<hbs.AST.Node> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value && 'loc' in value) yield value as hbs.AST.Node;
  for (const child of Object.values(value)) yield* nodesOf(child);
}

/** A name with arguments is a helper; without, a field of the data, which `strict` looks after. */
function checkCall(node: Call, report: Report): void {
  const name = node.path.original;
  if ('escaped' in node && node.escaped === false) {
    report(
      `{{{${name}}}} prints unchecked markup`,
      node,
      `Write {{${name}}}: what is markup passes.`,
    );
  }
  if (HELPERS.has(name)) checkArgument(name, node, report);
  else if (node.params.length > 0 || node.hash) {
    report(`There is no helper "${name}"`, node, `There are ${[...HELPERS].join(', ')}.`);
  }
}

function checkArgument(helper: string, node: Call, report: Report): void {
  const [first] = node.params;
  if (first?.type !== 'StringLiteral') return;
  const { value } = first as hbs.AST.StringLiteral;
  if (helper === 'slot' && !SLOT_NAMES.includes(value as SlotName)) {
    report(`There is no slot "${value}"`, node, `There are ${SLOT_NAMES.join(', ')}.`);
  }
  if (helper === 'word' && !isWord(value)) report(`There is no word "${value}"`, node);
}

function checkPartial(node: Partial, partials: Set<string>, report: Report): void {
  if (node.name.type !== 'PathExpression') return;
  const { original } = node.name as hbs.AST.PathExpression;
  if (partials.has(original)) return;
  report(`There is no partial "${original}"`, node, `There are ${[...partials].join(', ')}.`);
}
