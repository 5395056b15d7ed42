/** How the studio answers: mails in their frame, mistakes as data, events as they come. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BroadsheetError } from '../../errors.ts';
import { excerptOf } from '../../newsletter/excerpt.ts';
import { SCHEMES, type Scheme, seenIn } from '../../render/inversion.ts';

/**
 * The mail in its frame: no script, nothing but pictures (P-02). Same origin, so that the studio's page can keep
 * the place where one was reading; nothing inside can use that, for nothing inside runs.
 */
const MAIL_POLICY =
  "sandbox allow-same-origin; default-src 'none'; img-src https: data: 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";
const WITHOUT_IMAGES = MAIL_POLICY.replace("img-src https: data: 'self'; ", '');

/** How a mail is looked at; what is absent leaves the bytes alone. */
export interface View {
  scheme?: string;
  images?: string;
  styles?: string;
}

/** HTML of a mail, byte for byte or bent as the view asks. */
export function sendMail(reply: FastifyReply, html: string, view: View): FastifyReply {
  return reply
    .header('Content-Security-Policy', view.images === 'off' ? WITHOUT_IMAGES : MAIL_POLICY)
    .header('Cache-Control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(bend(html, view));
}

function bend(html: string, { scheme, styles }: View): string {
  // What a client leaves that takes style sheets away: the styles in the elements.
  const kept = styles === 'off' ? html.replace(/<style[\s\S]*?<\/style>/gi, '') : html;
  const known = SCHEMES.find((name): name is Scheme => name === scheme);
  return known ? seenIn(kept, known) : kept;
}

/** Codes of what is not there. */
const MISSING = /-(missing|unknown)$|^issue-id$/;

/** A mistake that a person can mend, with the lines around it; whatever else is a bug. */
export function sendProblem(error: unknown, dir: string, reply: FastifyReply): FastifyReply {
  if (error instanceof BroadsheetError) {
    const { kind, code } = error;
    const status = kind === 'blocked' ? 409 : MISSING.test(code) ? 404 : 422;
    const problems = error.problems.map((problem) => ({
      ...problem,
      excerpt: excerptOf(dir, problem),
    }));
    return reply.code(status).send({ code, problems });
  }
  const { statusCode = 500, message } = error as { statusCode?: number; message: string };
  return reply.code(statusCode).send({ code: 'error', problems: [{ message }] });
}

/** Opens a stream of server-sent events. @returns what sends one, `ended` is called when nobody listens any more */
export function openEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  ended: () => void,
): (event: string, data: unknown) => void {
  reply.hijack();
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
  });
  reply.raw.write(': open\n\n');
  request.raw.on('close', ended);
  return (event, data) => {
    reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
}

/** A part of the address, as it was written before it was encoded. */
export function param(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? '';
}

/** A value of the query; undefined where it is absent, empty or given twice. */
export function asked(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, unknown>)[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A text of the body. @returns '' where there is none */
export function given(request: FastifyRequest, name: string): string {
  const value = (request.body as Record<string, unknown> | null | undefined)?.[name];
  return typeof value === 'string' ? value : '';
}
