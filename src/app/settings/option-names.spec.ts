import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../../errors.js';
import { nameOption } from '../../option-names.js';
import { loadConfig } from '../config.js';
import { SETTING_NAMES } from './settings.js';

const SOURCES = fileURLToPath(new URL('../../', import.meta.url));

describe('messages', () => {
  it('of the package name no setting: a host has options', async () => {
    // `PORT`, `HOST` and the like are words of other things as well, unless a value follows.
    const names = SETTING_NAMES.filter((name) => !(name in ERROR_CODES)).map((name) =>
      name.includes('_') ? name : `${name}=`,
    );
    const setting = new RegExp(`\\b(?:${names.join('|')})(?![A-Z_])`);
    const found: string[] = [];
    for await (const path of glob('**/*.ts', { cwd: SOURCES })) {
      if (/^app\/|\.(?:spec|testing)\.ts$|^main\.ts$/.test(path)) continue;
      const code = (await readFile(`${SOURCES}${path}`, 'utf8')).replaceAll(
        /\/\*[^]*?\*\/|^\s*\/\/.*$/gm,
        '',
      );
      found.push(...code.split('\n').filter((line) => setting.test(line)));
    }
    expect(found).toEqual([]);
  });

  it('name options in a host, and settings once the standalone app has read its own', () => {
    expect(nameOption('url of PostgresStorage')).toBe('url of PostgresStorage');
    loadConfig({});
    expect(nameOption('url of PostgresStorage')).toBe('DATABASE_URL');
    expect(nameOption('operatorRoles')).toBe('AUTH_OPERATOR_ROLES');
  });
});
