import { readFileSync } from 'node:fs';

const MANIFEST = new URL('../package.json', import.meta.url);

/** Returns what to do when the tests cannot run on this version of Node, or undefined when they can. */
export function adviseOnNode(running, needed = readNeeded()) {
  if (needed.split('||').some((part) => fits(running, part.trim()))) return undefined;
  const [, newest] = /([\d.]+)$/.exec(needed);
  return `The tests need Node ${needed}, and this is Node ${running}: run \`npm test\`, which brings its own, or install Node ${newest}.`;
}

function readNeeded() {
  return JSON.parse(readFileSync(MANIFEST, 'utf8')).engines.node;
}

/** @param part `>=24.15`, or `^22.18`: that or newer, of the same major version */
function fits(version, part) {
  const [, sign, least] = /^(>=|\^)([\d.]+)$/.exec(part);
  return isAtLeast(version, least) && (sign === '>=' || parseInt(version) === parseInt(least));
}

function isAtLeast(version, least) {
  const [major, minor = 0] = version.split('.').map(Number);
  const [leastMajor, leastMinor = 0] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}
