import type { FastifyInstance } from 'fastify';

/** Types read as JSON; the form type is what curl sends when nobody says otherwise. */
const JSON_TYPES = ['application/json', 'application/x-www-form-urlencoded'];

/** Bodies are JSON whatever curl calls them, an empty body is none, and keys that could reach a prototype are refused. */
export function addBodyParser(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(JSON_TYPES, { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null);
    else void parseJson(request, body as string, done);
  });
}
