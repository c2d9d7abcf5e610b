import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as files from './files.mjs';
import { ask, framesIn, ROOT } from './workshop.mjs';

const ALL = [11, 12].flatMap((nest) =>
  ['express', 'fastify'].flatMap((framework) =>
    ['esm', 'cjs'].flatMap((module) => [22, 24].map((node) => ({ nest, framework, module, node }))),
  ),
);

/** One of each: both majors, both frameworks, both module systems, both versions of Node. */
const SHORT = [
  { nest: 11, framework: 'fastify', module: 'cjs', node: 22 },
  { nest: 12, framework: 'express', module: 'esm', node: 24 },
];

export async function tryMatrix(workshop, { all, majors }) {
  for (const combination of all ? ALL : SHORT) {
    const { nest, framework, module, node } = combination;
    if (!majors.includes(nest)) continue;
    await workshop.try(`Nest ${nest}, ${framework}, ${module}, Node ${node}`, async () => {
      const folder = join(await workshop.install(nest), `${framework}-${module}-${node}`);
      const runner = await writeHost(folder, combination);
      await compile(workshop, folder, nest);
      await streamFrom(workshop, folder, combination);
      await test(workshop, folder, combination, runner);
      return runner;
    });
  }
}

/** Writes a host as its team would. Returns the runner of its tests. */
export async function writeHost(folder, { nest, framework, module, node }, appModule = files.APP_MODULE) {
  // As each is written there.
  const extension = module === 'esm' ? '.js' : '';
  await mkdir(join(folder, 'src'), { recursive: true });
  const put = (file, text) =>
    writeFile(join(folder, file), typeof text === 'string' ? text : JSON.stringify(text));
  await put('package.json', { name: 'prices', private: true, ...(module === 'esm' && { type: 'module' }) });
  await put('tsconfig.json', files.TSCONFIG);
  await put('src/app.module.ts', appModule);
  await put('src/main.ts', files.mainFile(framework, extension));
  await put('src/app.spec.ts', files.specFile(framework, extension));
  // Nest 12 is ESM, which jest cannot require on Node 22.
  if (module === 'esm' || (nest === 12 && node === 22)) {
    await put('vitest.config.mjs', files.VITEST);
    return 'vitest';
  }
  await put('jest.config.json', node === 22 ? files.SWC_JEST : files.TS_JEST);
  return node === 22 ? 'jest with swc' : 'jest with ts-jest';
}

export async function compile(workshop, folder, nest) {
  await workshop.run(process.execPath, [workshop.binary(nest, 'typescript/bin/tsc'), '-p', '.'], {
    cwd: folder,
  });
}

/** Starts it, asks, leaves in the middle, comes back for the rest, and has a client generated. */
async function streamFrom(workshop, folder, { nest, node }) {
  const { server, url } = await workshop.serve(workshop.findNode(nest, node), ['dist/main.js'], {
    cwd: folder,
    env: { DATA_DIR: join(folder, 'data') },
  });
  try {
    const { response, frames } = await ask(url);
    const middle = Math.floor(frames.length / 2);
    const rest = await fetch(new URL(response.headers.get('location'), url), {
      headers: { 'last-event-id': frames[middle].id },
    });
    const resumed = framesIn(await rest.text()).filter(({ event }) => event !== 'ready');
    if (JSON.stringify(resumed) !== JSON.stringify(frames.slice(middle + 1)))
      throw new Error('The rest is not what was missing.');
    await generateClients(workshop, folder, url);
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    await exited;
  } finally {
    server.kill('SIGKILL');
  }
}

async function generateClients(workshop, folder, url) {
  const document = join(folder, 'document.json');
  await writeFile(document, await (await fetch(`${url}/docs/openapi.json`)).text());
  const program = join(ROOT, 'test/openapi/generate-clients.mjs');
  await workshop.run(process.execPath, [program, document, folder, url]);
}

async function test(workshop, folder, { nest, node }, runner) {
  const command =
    runner === 'vitest'
      ? [workshop.binary(nest, 'vitest/vitest.mjs'), 'run']
      : [workshop.binary(nest, 'jest/bin/jest.js'), '--config', 'jest.config.json'];
  const NODE_OPTIONS = runner === 'vitest' ? '' : '--experimental-vm-modules';
  await workshop.run(workshop.findNode(nest, node), command, {
    cwd: folder,
    env: { NODE_OPTIONS, NODE_ENV: 'test' },
  });
}
