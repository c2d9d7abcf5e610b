import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
import jest from '../../jest.config.mjs';

// `node --import ./test/harness/register.mjs program.ts` runs a program of the harness as it is written, against the product as it is built:
// what it imports from src comes from dist. Compiled with the options that the tests are compiled with.

const HARNESS = new URL('./', import.meta.url).href;
const [SRC, DIST] = ['src', 'dist'].map((name) => new URL(`../../${name}/`, import.meta.url).href);
const [[, swcOptions]] = Object.values(jest.transform);

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isOurs = specifier.startsWith('.') && context.parentURL?.startsWith(HARNESS);
    if (!isOurs) return nextResolve(specifier, context);
    const { href } = new URL(specifier, context.parentURL);
    if (href.startsWith(SRC)) return nextResolve(DIST + href.slice(SRC.length), context);
    return nextResolve(href.replace(/\.js$/, '.ts'), context);
  },
  load(url, context, nextLoad) {
    if (!url.startsWith(HARNESS) || !url.endsWith('.ts')) return nextLoad(url, context);
    const filename = fileURLToPath(url);
    const { code } = transformSync(readFileSync(filename, 'utf8'), { ...swcOptions, filename });
    return { format: 'module', source: code, shortCircuit: true };
  },
});
