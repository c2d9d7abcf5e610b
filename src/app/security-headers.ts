import helmet from 'helmet';
import type { RequestHandler } from 'express';

type Directives = Record<string, readonly string[]>;

/**
 * Everything from this origin and nothing else. Images too: an image address in a model's Markdown is a way to send what the
 * model knows to a stranger.
 */
const PAGE: Directives = {
  'default-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'object-src': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

/** Swagger UI writes style elements and attributes. */
const DOCS: Directives = { ...PAGE, 'style-src': ["'self'", "'unsafe-inline'"] };

/** @param tls whether this server speaks HTTPS itself; behind a proxy that does, HSTS is the proxy's to say */
export function securityHeaders({ tls }: { readonly tls: boolean }): RequestHandler {
  const page = headers(PAGE, tls);
  const docs = headers(DOCS, tls);
  return (request, response, next) =>
    (/^\/docs(\/|$)/.test(request.path) ? docs : page)(request, response, next);
}

function headers(directives: Directives, tls: boolean) {
  return helmet({
    // Without the defaults, because they upgrade requests to HTTPS, which a page served by plain HTTP in a LAN cannot follow.
    contentSecurityPolicy: { useDefaults: false, directives },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: tls,
  });
}
