import { readFileSync, writeFileSync } from 'node:fs';

// npm run settings: writes .env.example and the tables of docs/reference/configuration.md from the descriptions in src/app/settings. A spec
// (src/app/settings/settings-texts.spec.ts) fails when they are stale.

const { TABLES_BEGIN, TABLES_END, writeExample, writeTables } =
  await import('../dist/app/settings/settings-texts.js');
const [page, example] = ['docs/reference/configuration.md', '.env.example'].map(
  (path) => new URL(`../${path}`, import.meta.url),
);
const [before, rest] = readFileSync(page, 'utf8').split(TABLES_BEGIN);
const [, after] = rest.split(TABLES_END);
writeFileSync(page, `${before}${TABLES_BEGIN}\n\n${writeTables()}\n\n${TABLES_END}${after}`);
writeFileSync(example, writeExample());
