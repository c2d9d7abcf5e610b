import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const source = fileURLToPath(new URL('../', import.meta.url));

describe('process.env', () => {
  it('reads the environment in app/config.ts only', () => {
    const readers = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
      .filter((path) =>
        /\bprocess\s*\.\s*env\b|from 'node:process'/.test(readFileSync(source + path, 'utf8')),
      );
    expect(readers).toEqual(['app/config.ts']);
  });
});
