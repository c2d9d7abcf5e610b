import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

const MAX_FILES = 5_000;
const MAX_FILE_BYTES = 2 * 1024 * 1024;

export interface MarkdownFile {
  /** Inside the folder, with `/`: the only part of the path that anybody sees. */
  readonly name: string;
  /** Changes whenever the content does. */
  readonly version: string;
  read(): Promise<string>;
}

/**
 * The `*.md` files of a folder, at any depth, by name. Links are not followed, so that nothing outside of the folder is
 * found; dot folders, `node_modules` and files over 2 MiB are left out, and so is what comes after 5,000 files.
 */
export async function markdownFiles(directory: string): Promise<readonly MarkdownFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.toLowerCase().endsWith('.md'))
    .map((entry) => ({ path: join(entry.parentPath, entry.name), name: toName(directory, entry) }))
    .filter(({ name }) => !name.split('/').some((part) => part.startsWith('.') || part === 'node_modules'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, MAX_FILES);
  const files = await Promise.all(paths.map(({ path, name }) => describe(path, name)));
  return files.filter((file) => file !== undefined);
}

function toName(directory: string, entry: { parentPath: string; name: string }): string {
  return relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/');
}

/** Undefined when the file is too large, or gone since its folder was read. */
async function describe(path: string, name: string): Promise<MarkdownFile | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats || stats.size > MAX_FILE_BYTES) return undefined;
  return { name, version: `${stats.mtimeMs}-${stats.size}`, read: () => readFile(path, 'utf8') };
}
