import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { SETTING_NAMES } from './settings.js';
import { TABLES_BEGIN, TABLES_END, writeExample, writeTables } from './settings-texts.js';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const STALE = 'Run `npm run settings`, look at the diff, and commit it.';

describe('texts generated from the settings', () => {
  it('keeps the reference page up to date with the settings', () => {
    const page = read('docs/reference/configuration.md');
    const tables = page.split(TABLES_BEGIN)[1]?.split(TABLES_END)[0]?.trim();
    expect({ remedy: STALE, tables }).toEqual({ remedy: STALE, tables: writeTables() });
  });

  it('keeps .env.example up to date with the settings', () => {
    expect({ remedy: STALE, text: read('.env.example') }).toEqual({ remedy: STALE, text: writeExample() });
  });

  it('names each setting once and in order in both generated texts', () => {
    const rows = [...writeTables().matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map(([, name]) => name);
    const lines = [...writeExample().matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(rows).toEqual(SETTING_NAMES);
    expect(lines).toEqual(SETTING_NAMES);
  });

  it('leaves secrets empty in .env.example', () => {
    expect(writeExample()).toMatch(/^#AUTH_JWT_SECRET=$/m);
    expect(writeExample()).toMatch(/^#AUTH_API_KEYS=$/m);
  });
});
