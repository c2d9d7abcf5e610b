import { posix } from 'node:path';

const STYLE = /([ \t]*)<link rel="stylesheet" href="((?:\.\.\/)*)([^"]+)" \/>\n/g;
const SCRIPT = /([ \t]*)<script type="module" src="((?:\.\.\/)*)([^"]+)"><\/script>\n/g;
const PRELOAD = /([ \t]*)<link rel="modulepreload" href="((?:\.\.\/)*)([^"]+)"([^>]*?) \/>\n/g;
const ADDRESS = /\b(href|src)="((?:\.\.\/)*)((?:assets|client|events|vendor|styles)\/[^"]+)"/g;
/** The module of an `import` or `export` that is not made while the program runs. */
const IMPORT = /^(?:import|export)\b[^'"();]*?['"](\.[^'"]+)['"];/gm;

/**
 * Returns the HTML of a page with what makes it load in few steps, and its style sheets as one. Pure. As it is written, the HTML works from any server of files.
 *
 * - Each address names the version of the page.
 * - One sheet, in the place of the first, has the rules of all.
 * - Each module that a script imports has a link of its own, so that all are loaded at once. The same for the modules that the HTML preloads.
 *
 * @param page `id`: the version; `sheet`: the path of the one sheet; `read`: returns a file by its path
 */
export function linkVersion(
  html: string,
  page: {
    readonly id: string;
    readonly sheet: string;
    readonly read: (path: string) => string | undefined;
  },
): { readonly html: string; readonly css: string } {
  const list = (path: string) => listModules(path, page.read);
  const sheets = [...html.matchAll(STYLE)].map(([, , , path = '']) => page.read(path) ?? '');
  const needed = new Set([...html.matchAll(SCRIPT)].flatMap(([, , , path = '']) => list(path)));
  const linked = new Set(needed);
  let hasSheet = false;
  const faster = html
    .replace(STYLE, (_, indent: string, base: string) => {
      if (hasSheet) return '';
      hasSheet = true;
      return `${indent}<link rel="stylesheet" href="${base}${page.sheet}" />\n`;
    })
    .replace(PRELOAD, (_, indent: string, base: string, path: string, attributes: string) =>
      list(path)
        .filter((module) => !linked.has(module) && linked.add(module))
        .map((module) => toLink(indent, base + module, attributes))
        .join(''),
    )
    .replace(
      SCRIPT,
      (script: string, indent: string, base: string, path: string) =>
        list(path)
          .filter((module) => needed.delete(module))
          .map((module) => toLink(indent, base + module))
          .join('') + script,
    )
    .replace(
      ADDRESS,
      (_, name: string, base: string, path: string) => `${name}="${base}v/${page.id}/${path}"`,
    );
  return { html: faster, css: sheets.join('') };
}

function toLink(indent: string, address: string, attributes = ''): string {
  return `${indent}<link rel="modulepreload" href="${address}"${attributes} />\n`;
}

/** Returns a module and all that it imports, each once, in the order in which they are found. */
function listModules(path: string, read: (path: string) => string | undefined): string[] {
  const found = new Set([path]);
  for (const each of found) {
    for (const [, address = ''] of read(each)?.matchAll(IMPORT) ?? []) {
      const imported = posix.join(posix.dirname(each), address);
      if (read(imported) !== undefined) found.add(imported);
    }
  }
  return [...found];
}
