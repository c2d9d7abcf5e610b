import { fileURLToPath } from 'node:url';
import { type RequestHandler, Router } from 'express';
import { PageFiles, type PageName } from './page-files.js';
import { readName } from './shared-files.js';

/** The project's root, seen from `src/app` and from `dist/app` alike. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Which run it is, and at which event, its page reads from the address. */
const ROUTES: Readonly<Record<string, PageName>> = {
  '/': 'index.html',
  '/runs': 'runs/list.html',
  '/runs/:runId': 'runs/run.html',
};

/** The address of a file, which may name a version of the page. */
const FILE = /^(?:v\/([\w-]{1,64})\/)?((?:assets|client|events|vendor|styles)\/.+)$/;

/** For an address that names the version of its file: as long as there are browsers. */
const KEPT = 'public, max-age=31536000, immutable';

/**
 * Serves the chat page at `/`, and the inspector at `/runs`, with all they load: its own files, the client and the events as they are published, and the
 * Markdown renderer and sanitizer. What is not there is left to the next handler, which answers 404.
 *
 * @param root the directory that holds `web/` and `dist/`; default: the project's
 */
export function page(root: string = ROOT): RequestHandler {
  const router = Router();
  const files = new PageFiles(root);
  for (const [route, name] of Object.entries(ROUTES)) {
    router.get(route, async (_request, response, next) => {
      const file = await files.findPage(name);
      if (!file) return next();
      await file.send(response);
    });
  }
  router.use(async (request, response, next) => {
    const [, version, path] = FILE.exec(readName(request) ?? '') ?? [];
    if (path === undefined) return next();
    // During a deploy, a server may be asked for the files of another version. It has only its own, which must not be kept as that version's.
    const kept = version === undefined ? undefined : await files.findKept(path, version);
    const file = kept ?? (await files.find(path));
    if (!file) return next();
    await file.send(response, kept && KEPT);
  });
  return router;
}
