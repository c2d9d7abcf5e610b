const { readFileSync, readdirSync } = require('node:fs');
const { join } = require('node:path');

// `nest add nestjs-agent-stream`: writes a module, a tool and a test, and imports the module into the application's. What it needs of
// the schematics library comes by its parameters: the library is the Nest CLI's, and cannot be imported from here with every installer.

const FILES = join(__dirname, 'files');
const { peerDependencies } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8'));

/** Packages that the written code imports, or that ours needs beside it, with Nest's Swagger module. The rest of our peers is there. */
const PACKAGES = [
  '@langchain/core',
  '@langchain/langgraph',
  '@langchain/langgraph-checkpoint',
  '@langchain/openai',
  'langchain',
  'zod',
];

/** Jest loads ES modules with this flag. Nest 12 writes its scripts so, Nest 11 writes `jest`. */
const JEST = 'node --experimental-vm-modules ./node_modules/jest/bin/jest.js';

exports.nestAdd =
  ({ sourceRoot = 'src' }) =>
  (tree, context) => {
    const manifest = JSON.parse(tree.read('package.json').toString());
    const extension = manifest.type === 'module' ? '.js' : '';
    for (const file of readdirSync(FILES)) {
      const path = `${sourceRoot}/assistant/${file.replace(/\.template$/, '')}`;
      const text = readFileSync(join(FILES, file), 'utf8').replaceAll('{{extension}}', extension);
      if (tree.exists(path)) throw new Error(`${path} is there already. Remove it, or keep what you have.`);
      tree.create(path, text);
    }
    tree.overwrite('package.json', `${JSON.stringify(addTo(manifest), null, 2)}\n`);
    importModule(tree, `${sourceRoot}/app.module.ts`, extension, context.logger);
    context.addTask({
      toConfiguration: () => ({ name: 'node-package', options: { command: 'install' } }),
    });
    context.logger.info(
      'Set OPENAI_API_KEY, start the application, and ask: POST /assistant { "message": "When do you open?" }',
    );
    return tree;
  };

/** Returns the manifest with what is needed, and everything else as it was, in the order in which it was. */
function addTo(manifest) {
  const scripts = Object.entries(manifest.scripts ?? {}).map(([name, script]) => [
    name,
    script.replace(/^jest(?= |$)/, JEST),
  ]);
  const known = manifest.dependencies ?? {};
  const needed = { ...pick(peerDependencies, PACKAGES), '@nestjs/swagger': findSwagger(known) };
  const dependencies = Object.entries({ ...needed, ...known });
  return {
    ...manifest,
    scripts: Object.fromEntries(scripts),
    dependencies: Object.fromEntries(dependencies.sort(([one], [other]) => (one < other ? -1 : 1))),
  };
}

function pick(object, names) {
  return Object.fromEntries(names.map((name) => [name, object[name]]));
}

/** The range of the application's own major: npm would take the latest that we take, and refuse it beside Nest 11. */
function findSwagger({ '@nestjs/core': core = '' }) {
  const ranges = peerDependencies['@nestjs/swagger'].split(' || ');
  const major = /\d+/.exec(core)?.[0];
  return ranges.find((range) => range.startsWith(`^${major}.`)) ?? ranges.at(-1);
}

/** Imports the module as text: first in the list of imports, and after the last import of the file. */
function importModule(tree, path, extension, logger) {
  const line = `import { AssistantModule } from './assistant/assistant.module${extension}';\n`;
  const source = tree.exists(path) ? tree.read(path).toString() : '';
  const withList = /@Module\(\{[^@]*?\bimports:\s*\[/.exec(source);
  const withoutList = /@Module\(\{/.exec(source);
  const place = withList ?? withoutList;
  if (!place) {
    logger.warn(`Import AssistantModule into your module yourself: ${path} has no @Module({ … }).`);
    return;
  }
  const at = place.index + place[0].length;
  const isEmpty = /^\s*\]/.test(source.slice(at));
  const inList = isEmpty ? 'AssistantModule' : 'AssistantModule, ';
  const insertion = withList ? inList : '\n  imports: [AssistantModule],';
  const lastImport = [...source.matchAll(/^import [^;]*;\r?\n/gm)].at(-1);
  const afterImports = lastImport ? lastImport.index + lastImport[0].length : 0;
  tree.overwrite(
    path,
    source.slice(0, afterImports) + line + source.slice(afterImports, at) + insertion + source.slice(at),
  );
}
