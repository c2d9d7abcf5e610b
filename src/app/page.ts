import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RequestHandler, Router } from 'express';
import { sendShared, sharedFiles } from './shared-files.js';

/** The project's root, seen from `src/app` and from `dist/app` alike. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const packages = createRequire(import.meta.url);

/** Files that the page takes from packages, by the name it knows them by. */
const VENDOR = {
  'marked.js': packages.resolve('marked'),
  'dompurify.js': join(dirname(packages.resolve('dompurify')), 'purify.es.mjs'),
};

/** The pages that there are. Which run it is, and at which event, its page reads from the address. */
const PAGES = { '/': 'index.html', '/runs': 'runs/list.html', '/runs/:runId': 'runs/run.html' };

/**
 * Serves the chat page at `/`, and the inspector at `/runs`, with all they load: its own files, the client and the events as they are published, and the
 * Markdown renderer and sanitizer. What is not there is left to the next handler, which answers 404.
 *
 * @param root the directory that holds `web/` and `dist/`; default: the project's
 */
export function page(root: string = ROOT): RequestHandler {
  const router = Router();
  for (const [path, file] of Object.entries(PAGES)) {
    router.get(path, async (_request, response, next) => {
      if (!(await sendShared(join(root, 'web', file), response))) next();
    });
  }
  router.use('/assets', sharedFiles(join(root, 'web')));
  router.use('/client', sharedFiles(join(root, 'dist', 'client')));
  router.use('/events', sharedFiles(join(root, 'dist', 'events')));
  for (const [name, file] of Object.entries(VENDOR)) {
    router.get(`/vendor/${name}`, async (_request, response, next) => {
      if (!(await sendShared(file, response))) next();
    });
  }
  return router;
}
