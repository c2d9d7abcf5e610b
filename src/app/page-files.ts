import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, posix } from 'node:path';
import { linkVersion } from './page-links.js';
import { loadShared, SharedFile } from './shared-files.js';

const packages = createRequire(import.meta.url);

/** The directories of the page's files, by the name under which it asks for them. */
const FOLDERS = { assets: 'web', client: 'dist/client', events: 'dist/events' };

const HIGHLIGHT = join(dirname(packages.resolve('@highlightjs/cdn-assets/package.json')), 'es');

/** Files that the page takes from packages, by the name under which it asks for them. */
const VENDOR: Readonly<Record<string, string>> = {
  'vendor/marked.js': packages.resolve('marked'),
  'vendor/dompurify.js': join(dirname(packages.resolve('dompurify')), 'purify.min.js'),
  'vendor/temml.js': packages.resolve('temml/dist/temml.min.js'),
  'vendor/highlight/core.js': join(HIGHLIGHT, 'core.min.js'),
};

/** The grammar of a language. All are of the same version as the highlighter's core. */
const GRAMMAR = /^vendor\/highlight\/([a-z]+)\.js$/;

/** The pages that there are. */
export type PageName = 'index.html' | 'runs/list.html' | 'runs/run.html';
/** The HTML of each page, and the way from its address to the root. */
const PAGES: Readonly<Record<PageName, { readonly file: string; readonly base: '' | '../' }>> = {
  'index.html': { file: 'index.html', base: '' },
  'runs/list.html': { file: 'runs/page.html', base: '' },
  'runs/run.html': { file: 'runs/page.html', base: '../' },
};

/** Files that are part of a version. */
const VERSIONED = /\.(js|css|svg|html)$/;

/** Milliseconds after which it is looked whether a file has changed: only while the page is being developed. */
const CHECK_MS = 1_000;

/** All files of the page as they are now. */
interface PageVersion {
  readonly id: string;
  readonly pages: ReadonlyMap<string, SharedFile>;
  /** By path: the files that it was made from, and the style sheets of each page in one. */
  readonly files: ReadonlyMap<string, SharedFile>;
}

/**
 * The files of the page. The addresses in its HTML name their version, which is made from all of them, so that a browser may keep what it has
 * loaded for as long as it likes.
 */
export class PageFiles {
  private current: { readonly facts: string; readonly version: Promise<PageVersion> } | undefined;
  private checkedAt = Number.NEGATIVE_INFINITY;

  /** @param root the directory that holds `web/` and `dist/` */
  constructor(
    private readonly root: string,
    private readonly load = loadShared,
  ) {}

  /** Returns a page. Undefined: it is not there. */
  async findPage(name: PageName): Promise<SharedFile | undefined> {
    return (await this.getVersion()).pages.get(name);
  }

  /** Returns a file by the path in its address, such as `assets/app.js`. Undefined: there is none. */
  async find(path: string): Promise<SharedFile | undefined> {
    const place = this.locate(path);
    return place ? this.load(place) : (await this.getVersion()).files.get(path);
  }

  /** Returns the file as it is in a version. Undefined: that is not the current version, or has no such file. */
  async findKept(path: string, id: string): Promise<SharedFile | undefined> {
    const version = await this.getVersion();
    if (version.id !== id) return undefined;
    return version.files.get(path) ?? this.find(path);
  }

  private locate(path: string): string | undefined {
    const [folder = ''] = path.split('/', 1);
    if (folder in FOLDERS)
      return join(this.root, FOLDERS[folder as keyof typeof FOLDERS], path.slice(folder.length));
    if (Object.hasOwn(VENDOR, path)) return VENDOR[path];
    const [, language] = GRAMMAR.exec(path) ?? [];
    return language && join(HIGHLIGHT, 'languages', `${language}.min.js`);
  }

  private async getVersion(): Promise<PageVersion> {
    const now = performance.now();
    if (this.current && now - this.checkedAt < CHECK_MS) return this.current.version;
    this.checkedAt = now;
    const paths = await this.list();
    const facts = (await Promise.all(paths.map((path) => this.describe(path)))).join('\n');
    if (this.current?.facts !== facts) this.current = { facts, version: this.readVersion(paths, facts) };
    return this.current.version;
  }

  private async list(): Promise<string[]> {
    const found = await Promise.all(
      Object.entries(FOLDERS).map(async ([name, folder]) => {
        const files = await readdir(join(this.root, folder), { recursive: true }).catch(() => []);
        return files.filter((file) => VERSIONED.test(file)).map((file) => posix.join(name, file));
      }),
    );
    return [...found.flat(), ...Object.keys(VENDOR)].toSorted();
  }

  private async describe(path: string): Promise<string> {
    const { size, mtimeMs } = await stat(this.locate(path)!);
    return `${path} ${size} ${mtimeMs}`;
  }

  private async readVersion(paths: readonly string[], facts: string): Promise<PageVersion> {
    try {
      return await this.read(paths);
    } catch (error) {
      // A fault of a moment, such as too many open files: the next visitor's version is read again.
      if (this.current?.facts === facts) this.current = undefined;
      throw error;
    }
  }

  private async read(paths: readonly string[]): Promise<PageVersion> {
    const files = new Map<string, SharedFile>();
    for (const path of paths) files.set(path, (await this.load(this.locate(path)!))!);
    const hash = createHash('sha256');
    for (const [path, { content }] of files) hash.update(`${path} ${content.length}\n`).update(content);
    const id = hash.digest('base64url').slice(0, 16);
    const pages = new Map<string, SharedFile>();
    const read = (path: string) => files.get(path)?.content.toString();
    for (const [name, { file, base }] of Object.entries(PAGES)) {
      const html = read(`assets/${file}`)?.replaceAll('="assets/', `="${base}assets/`);
      if (html === undefined) continue;
      const sheet = `styles/${name.slice(0, -extname(name).length)}.css`;
      const linked = linkVersion(html, { id, sheet, read });
      pages.set(name, new SharedFile(Buffer.from(linked.html), '.html'));
      files.set(sheet, new SharedFile(Buffer.from(linked.css), '.css'));
    }
    return { id, pages, files };
  }
}
