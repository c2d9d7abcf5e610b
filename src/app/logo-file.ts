import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';

const MOST_BYTES = 32 * 1024;

const TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.svg': 'image/svg+xml',
};

/** Returns a picture as a `data:` URL, which the page shows without another request. @throws Error if it cannot be used */
export function readLogoFile(path: string): string {
  const type = TYPES[extname(path).toLowerCase()];
  if (type === undefined)
    throw new Error(`write the path of a picture that ends in ${Object.keys(TYPES).join(', ')}`);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new Error('there is no such file');
  if (size === 0 || size > MOST_BYTES) throw new Error('the picture must have at most 32 KiB');
  return `data:${type};base64,${readFileSync(path).toString('base64')}`;
}
