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

/** Scripts and style sheets, for which most headers mean nothing. There are many of them, so a kilobyte each is felt. */
const FILE = /^\/(v\/[\w-]+\/)?(assets|client|events|vendor|styles)\/.+\.(js|css)$/;

/** Scripts of workers, which have a policy of their own. */
const WORKER = /\.worker\.js$/;

/** @param tls whether this server speaks HTTPS itself; behind a proxy that does, HSTS is the proxy's to say */
export function securityHeaders({ tls }: { readonly tls: boolean }): RequestHandler {
  const page = headers(PAGE, tls);
  const docs = headers(DOCS, tls);
  const file = headersOfFiles(tls);
  const choose = (path: string) => {
    if (FILE.test(path) && !WORKER.test(path)) return file;
    return /^\/docs(\/|$)/.test(path) ? docs : page;
  };
  return (request, response, next) => choose(request.path)(request, response, next);
}

function headersOfFiles(tls: boolean) {
  return helmet({
    strictTransportSecurity: tls,
    contentSecurityPolicy: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    referrerPolicy: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xFrameOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
}

function headers(directives: Directives, tls: boolean) {
  return helmet({
    // Without the defaults, because they upgrade requests to HTTPS, which a page served by plain HTTP in a LAN cannot follow.
    contentSecurityPolicy: { useDefaults: false, directives },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: tls,
  });
}
