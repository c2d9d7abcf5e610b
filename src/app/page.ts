import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RequestHandler, Router, static as serveDirectory } from 'express';

/** The project's root, seen from `src/app` and from `dist/app` alike. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const packages = createRequire(import.meta.url);

/** Files that the page takes from packages, by the name it knows them by. */
const VENDOR = {
  'marked.js': packages.resolve('marked'),
  'dompurify.js': join(dirname(packages.resolve('dompurify')), 'purify.es.mjs'),
};

/**
 * Serves the chat page at `/` with all it loads: its own files, the client and the events as they are published, and the
 * Markdown renderer and sanitizer. What is not there is left to the next handler, which answers 404.
 *
 * @param root the directory that holds `web/` and `dist/`; default: the project's
 */
export function page(root: string = ROOT): RequestHandler {
  const router = Router();
  router.get('/', (_request, response, next) => {
    response.setHeader('Cache-Control', 'no-cache');
    response.sendFile('index.html', { root: join(root, 'web') }, (error) => error && next());
  });
  router.use('/assets', directory(join(root, 'web')));
  router.use('/client', directory(join(root, 'dist', 'client')));
  router.use('/events', directory(join(root, 'dist', 'events')));
  for (const [name, file] of Object.entries(VENDOR)) {
    router.get(`/vendor/${name}`, (_request, response, next) => {
      // The root keeps a dot in the path of the installation (`.pnpm`) from being taken for a hidden file.
      const options = { root: dirname(file), headers: { 'Content-Type': 'text/javascript; charset=utf-8' } };
      response.setHeader('Cache-Control', 'no-cache');
      response.sendFile(basename(file), options, (error) => error && next());
    });
  }
  return router;
}

/** Files only: no listing, no hidden ones, nothing above. Always revalidated, so that an update is seen at once. */
function directory(path: string): RequestHandler {
  return serveDirectory(path, {
    index: false,
    redirect: false,
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders,
  });
}

const setHeaders = (response: { setHeader(name: string, value: string): void }) =>
  response.setHeader('Cache-Control', 'no-cache');
