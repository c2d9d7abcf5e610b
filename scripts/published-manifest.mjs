import { copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// node scripts/published-manifest.mjs write | restore: around `npm pack`. This repository is the package and the standalone app in one:
// `npm ci --omit=dev` installs what the app runs on. A host brings its peers, and gets only what the package itself needs.

const MANIFEST = fileURLToPath(new URL('../package.json', import.meta.url));
const KEPT = fileURLToPath(new URL('../.package.json.kept', import.meta.url));

/** Returns the manifest as it is published: without what is the host's to install, or the standalone app's. */
export function toPublished({ devDependencies: _dev, dependencies, standalone, ...manifest }) {
  const notOurs = new Set([...Object.keys(manifest.peerDependencies), ...standalone]);
  const own = Object.entries(dependencies).filter(([name]) => !notOurs.has(name));
  return { ...manifest, dependencies: Object.fromEntries(own) };
}

const [, program, task] = process.argv;
if (program === fileURLToPath(import.meta.url)) {
  if (task === 'restore') renameSync(KEPT, MANIFEST);
  else {
    copyFileSync(MANIFEST, KEPT);
    writeFileSync(
      MANIFEST,
      `${JSON.stringify(toPublished(JSON.parse(readFileSync(KEPT, 'utf8'))), null, 2)}\n`,
    );
  }
}
