import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// node scripts/install-size.mjs: fails when `npm ci --omit=dev --omit=optional` would install more than this. It installs nothing, and counts
// in `node_modules` what the lock file says belongs to production, in blocks on the disk.

const MOST_MIB = 155;
const BLOCK_BYTES = 4_096;
const ROOT = fileURLToPath(new URL('../', import.meta.url));

function countBytes(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory()
        ? BLOCK_BYTES + countBytes(path)
        : Math.ceil(lstatSync(path).size / BLOCK_BYTES) * BLOCK_BYTES;
    })
    .reduce((sum, bytes) => sum + bytes, 0);
}

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
const sizes = Object.entries(packages)
  // `devOptional` is what the tests need and a package of production would use if it were there.
  .filter(([, { dev, optional, devOptional }]) => !dev && !optional && !devOptional)
  .filter(([path, { link }]) => path !== '' && !link && existsSync(join(ROOT, path)))
  .map(([path]) => ({ path, mib: countBytes(join(ROOT, path)) / 2 ** 20 }))
  .sort((one, other) => other.mib - one.mib);
const total = sizes.reduce((sum, { mib }) => sum + mib, 0);

console.log(`The production installation is ${total.toFixed(0)} MiB in ${sizes.length} packages.`);
if (total > MOST_MIB) {
  console.error(`More than ${MOST_MIB} MiB. The largest:`);
  for (const { path, mib } of sizes.slice(0, 15)) console.error(`${mib.toFixed(1).padStart(6)}  ${path}`);
  process.exitCode = 1;
}
