/** The pictures of issues, for readers and for the preview. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { assetBase, readAsset } from '../newsletter/assets.ts';
import type { Newsletter } from '../newsletter/newsletter.ts';

/** What a name stands for never changes: it is the hash of the bytes. */
export function pictureRoute(newsletter: Newsletter) {
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const asset = readAsset(newsletter, (request.params as { name: string }).name);
    if (!asset) return reply.code(404).type('text/plain; charset=utf-8').send('Not found\n');
    return reply
      .header('Cache-Control', 'public, max-age=31536000, immutable')
      .header('Cross-Origin-Resource-Policy', 'cross-origin')
      .header('Content-Security-Policy', "default-src 'none'")
      .type(asset.type)
      .send(asset.bytes);
  };
}

/** For the preview: the pictures of the mail from this machine, where they lie before anything is public. */
export function localPictures(newsletter: Newsletter, html: string): string {
  return html.replaceAll(`${assetBase(newsletter)}/`, '/pictures/');
}
