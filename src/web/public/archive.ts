/** What has been sent, for anybody to read. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ArchiveFile, archiveFile, archiveVersion } from '../../newsletter/archive.ts';
import { sentIssues } from '../../newsletter/sent-issues.ts';
import { pictureRoute } from '../pictures.ts';
import { type Site, spoken } from './site.ts';

/** The mail's own HTML has its styles in its elements; nothing else is let in. */
const POLICY =
  "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' https:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

interface Kept {
  version: string;
  file: ArchiveFile;
  etag: string;
}

/** The list of issues, each issue's web version with its card, feeds, site map, pictures. */
export async function archiveRoutes(app: FastifyInstance, site: Site): Promise<void> {
  const give = archiveGiver(site);
  for (const path of ['/', '/feed.xml', '/feed.json', '/sitemap.xml', '/issues/:id'])
    app.get(path, give);
  app.get('/issues/:id/card.png', give);
  app.get('/assets/:name', pictureRoute(site.newsletter));
}

/** Made once for each state of the archive, since a page takes some milliseconds and a feed many. */
function archiveGiver({ newsletter, show }: Site) {
  const made = new Map<string, Kept>();
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const path = request.url.replace(/\?.*$/s, '');
    const language = path === '/' ? spoken(request, newsletter.settings.language) : undefined;
    const sent = await sentIssues(newsletter);
    const version = archiveVersion(sent);
    const key = `${path} ${language ?? ''}`;
    let kept = made.get(key);
    if (kept?.version !== version) {
      const file = await archiveFile(newsletter, sent, path, language);
      if (!file) return show(request, reply.code(404), 'not-found', {});
      const etag = `"${createHash('sha256').update(file.bytes).digest('base64url').slice(0, 27)}"`;
      kept = { version, file, etag };
      made.set(key, kept);
    }
    return send(request, reply, kept);
  };
}

function send(request: FastifyRequest, reply: FastifyReply, { file, etag }: Kept): FastifyReply {
  reply
    .header('Content-Security-Policy', POLICY)
    .header('Cache-Control', 'public, max-age=300')
    .header('ETag', etag)
    .header('Last-Modified', new Date(file.changedAt).toUTCString());
  if (request.routeOptions.url === '/') reply.header('Vary', 'Accept-Language');
  if (file.type.startsWith('image/')) reply.header('Cross-Origin-Resource-Policy', 'cross-origin');
  return isFresh(request, file, etag)
    ? reply.code(304).send()
    : reply.type(file.type).send(file.bytes);
}

/** Whether the reader has it already (RFC 9110, 13.2.2): the tag decides, without one the time. */
function isFresh({ headers }: FastifyRequest, { changedAt }: ArchiveFile, etag: string): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined)
    return tags.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return Math.floor(changedAt / 1000) * 1000 <= since;
}
