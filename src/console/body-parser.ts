import type { FastifyInstance } from 'fastify';
import { HeliosError } from '../lib/errors.ts';

/** Types read as JSON; the form type is what curl sends when nobody says otherwise. */
const JSON_TYPES = ['application/json', 'application/x-www-form-urlencoded'];

/** Bodies are JSON whatever curl calls them, an empty body is none, and keys that could reach a prototype are refused. */
export function addBodyParser(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(JSON_TYPES, { parseAs: 'string' }, (request, body, done) => {
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') {
      const detail = 'cannot read the body: only posted events may be compressed';
      done(new HeliosError('unsupported_media_type', detail, { details: { field: 'Content-Encoding' } }));
      return;
    }
    if (body === '') done(null);
    else void parseJson(request, body as string, done);
  });
}
