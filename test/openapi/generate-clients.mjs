import { readFile, writeFile } from 'node:fs/promises';
import { createClient } from '@hey-api/openapi-ts';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { generate } from 'orval';

// generate-clients.mjs <document> <folder> <origin>: what each generator makes of a description, for a server at this origin.
const [document, folder, baseUrl] = process.argv.slice(2);

const types = await openapiTypescript(await readFile(document, 'utf8'));
await writeFile(`${folder}/openapi-typescript.ts`, astToString(types));
await createClient({ input: document, output: `${folder}/hey-api`, logs: { level: 'silent' } });
await generate({
  input: { target: document },
  output: { target: `${folder}/orval.ts`, client: 'fetch', baseUrl },
});
