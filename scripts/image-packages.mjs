import { readFileSync, writeFileSync } from 'node:fs';

// node scripts/image-packages.mjs <names>: makes optional packages a part of the production installation, in the versions that the
// manifest tests with. For the image, whose manifest is not published.

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const names = process.argv.slice(2);
const unknown = names.filter((name) => manifest.devDependencies[name] === undefined);
if (unknown.length > 0) {
  console.error(`No version of ${unknown.join(', ')} was tested. Take packages that package.json has.`);
  process.exit(1);
}
for (const name of names) {
  manifest.dependencies[name] = manifest.devDependencies[name];
  delete manifest.devDependencies[name];
}
writeFileSync('package.json', JSON.stringify(manifest, null, 2));
