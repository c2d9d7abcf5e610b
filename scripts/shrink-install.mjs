import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

// node scripts/shrink-install.mjs <folder>: removes from installed packages what Node never reads: source maps, types, sources in
// TypeScript, and documents. Licences stay.

const UNREAD = /\.(map|d\.[cm]?ts|[cm]?ts|tsx|md|markdown|flow)$/i;
const KEPT = /licen[cs]e|notice|copying|copyright/i;

let bytes = 0;

function shrink(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) shrink(path);
    else if (entry.isFile() && UNREAD.test(entry.name) && !KEPT.test(entry.name)) {
      bytes += statSync(path).size;
      rmSync(path);
    }
  }
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name a folder: node scripts/shrink-install.mjs node_modules');
shrink(folder);
console.log(`${(bytes / 1e6).toFixed(1)} MB removed.`);
