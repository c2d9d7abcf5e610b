import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// npm run notices: writes NOTICES.md, which is packed: what is installed with the package, and under which licences. With --check
// it writes nothing and fails when the file is not up to date.

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FILE = join(ROOT, 'NOTICES.md');

/** Notices that a licence requires in addition to its text. Each package ships the text itself. */
const REMARKS = {
  'world-countries':
    'The data set of the tool `data_lookup`: facts about the countries of the world, by Mohammed Le Doze and contributors, made ' +
    'available under the Open Database License (ODbL) 1.0, https://opendatacommons.org/licenses/odbl/1-0/. Whoever shows works made ' +
    'from it says where it comes from; whoever publishes a changed database does so under the same licence.',
};

/** Licences that a package does not name in its manifest, as read in its own files. */
const LICENSE_OF = { 'world-countries': 'ODbL-1.0', pause: 'MIT' };

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));

/** Returns the directory of a package, as Node resolves it from a folder. */
function find(name, from) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder ? `${folder}/` : ''}node_modules/${name}`;
    if (packages[path]) return path;
    if (folder === '') return undefined;
  }
}

/** Packages that a user adds for one tool, and whose licence asks for more than a copy of its text. */
const ADDED = Object.keys(REMARKS);

const found = new Set();
const toVisit = [''];
while (toVisit.length > 0) {
  const from = toVisit.pop();
  const names = Object.keys(packages[from].dependencies ?? {});
  for (const name of from === '' ? [...names, ...ADDED] : names) {
    const path = find(name, from);
    if (!path || found.has(path)) continue;
    found.add(path);
    toVisit.push(path);
  }
}

const nameIn = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

function readLicense(path) {
  const name = nameIn(path);
  const manifest = join(ROOT, path, 'package.json');
  const own = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : {};
  const license = LICENSE_OF[name] ?? packages[path].license ?? own.license ?? own.licenses?.[0]?.type;
  if (!license)
    throw new Error(`${name} says no licence. Look at it, and add it to LICENSE_OF in scripts/notices.mjs.`);
  return license;
}

const rows = [...found]
  .map((path) => `| ${nameIn(path)} | ${packages[path].version} | ${readLicense(path)} |`)
  .sort();
const names = new Set([...found].map(nameIn));
const remarks = Object.entries(REMARKS).filter(([name]) => names.has(name));

const text = `# Third-party notices

Installed with the standalone app or for one of its tools, and not part of it: these packages, each under its own licence, whose text it brings. A host installs
those of them that the published \`package.json\` names, and its own peers. Made by \`npm run notices\`.

${remarks.map(([name, remark]) => `## ${name}\n\n${remark}`).join('\n\n')}

## All packages

| Package | Version | Licence |
|---|---|---|
${rows.join('\n')}
`;

if (!process.argv.includes('--check')) writeFileSync(FILE, text);
else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== text) {
  console.error('NOTICES.md is not up to date. Run: npm run notices');
  process.exitCode = 1;
}
