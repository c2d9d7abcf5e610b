import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';

interface Tree {
  exists(path: string): boolean;
  read(path: string): Buffer;
  create(path: string, text: string): void;
  overwrite(path: string, text: string): void;
}
type Rule = (tree: Tree, context: object) => void;

const require = createRequire(import.meta.url);
const { nestAdd } = require('../../schematics/nest-add/index.cjs') as {
  nestAdd: (options: { sourceRoot?: string }) => Rule;
};

const MODULE = `import { Module } from '@nestjs/common';
import {
  AppController,
} from './app.controller';

@Module({
  IMPORTS
  controllers: [AppController],
})
export class AppModule {}
`;

/** Runs the schematic over an application, and returns its files. */
function add(files: Record<string, string>, sourceRoot = 'src'): Record<string, string> {
  const after = new Map(Object.entries(files));
  const write = (path: string, text: string) => void after.set(path, text);
  const tree: Tree = {
    exists: (path) => after.has(path),
    read: (path) => Buffer.from(after.get(path)!),
    create: write,
    overwrite: write,
  };
  nestAdd({ sourceRoot })(tree, { addTask() {}, logger: { info() {}, warn() {} } });
  return Object.fromEntries(after);
}

// `npm run try:hosts` runs it over applications that `nest new` has made, and builds and tests those.
describe('nest add', () => {
  it.each([
    ['with a list of imports', 'imports: [UsersModule],', 'imports: [AssistantModule, UsersModule],'],
    ['with an empty one', 'imports: [],', 'imports: [AssistantModule],'],
    ['without one', '', 'imports: [AssistantModule],'],
  ])('imports the assistant into a module %s', (_, before, after) => {
    const files = add({ 'package.json': '{}', 'src/app.module.ts': MODULE.replace('IMPORTS', before) });
    expect(files['src/app.module.ts']).toContain(after);
    expect(files['src/app.module.ts']).toContain(
      "from './app.controller';\nimport { AssistantModule } from './assistant/assistant.module';\n",
    );
  });

  it('writes imports as the application does: with .js in one of ES modules', () => {
    const application = { 'src/app.module.ts': MODULE };
    const commonJs = add({ ...application, 'package.json': '{}' });
    const esm = add({ ...application, 'package.json': '{ "type": "module" }' });
    expect(commonJs['src/assistant/assistant.module.ts']).toContain("'./opening-hours.tool'");
    expect(esm['src/assistant/assistant.module.ts']).toContain("'./opening-hours.tool.js'");
  });

  it('names the packages that are missing, in the versions that ours takes, and keeps those that are there', async () => {
    const { peerDependencies } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { peerDependencies: Record<string, string> };
    const files = add({
      'package.json': JSON.stringify({
        scripts: { test: 'jest', 'test:e2e': 'jest --config e2e.json', lint: 'eslint' },
        dependencies: { zod: '4.6.1' },
      }),
      'src/app.module.ts': MODULE,
    });
    const jest = 'node --experimental-vm-modules ./node_modules/jest/bin/jest.js';
    expect(JSON.parse(files['package.json']!)).toMatchObject({
      scripts: { test: jest, 'test:e2e': `${jest} --config e2e.json`, lint: 'eslint' },
      dependencies: { zod: '4.6.1', langchain: peerDependencies['langchain'] },
    });
  });

  it.each([
    ['^11.0.1', '^11.4.0'],
    ['^12.0.1', '^12.0.0'],
  ])("takes the Swagger module of the application's Nest: %s", (nest, swagger) => {
    const manifest = JSON.stringify({ dependencies: { '@nestjs/core': nest } });
    const files = add({ 'package.json': manifest, 'src/app.module.ts': MODULE });
    expect(JSON.parse(files['package.json']!)).toMatchObject({
      dependencies: { '@nestjs/swagger': swagger },
    });
  });

  it('writes into the sources of a monorepo’s application, and over nothing that is there', () => {
    const application = { 'package.json': '{}', 'apps/shop/src/app.module.ts': MODULE };
    const files = add(application, 'apps/shop/src');
    expect(Object.keys(files)).toContain('apps/shop/src/assistant/assistant.module.spec.ts');
    expect(() => add(files, 'apps/shop/src')).toThrow(/is there already/);
  });
});
