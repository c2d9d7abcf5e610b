import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST_PACKAGES, NEST } from './packages.mjs';
import { writeHost } from './matrix.mjs';
import { ask } from './workshop.mjs';

const HOST = { framework: 'express', module: 'esm', node: 24 };

/** Name, program as npm brings it, settings, and the command that runs Node where these packages are found. */
const MANAGERS = [
  { name: 'pnpm', tool: 'pnpm@10', bin: 'pnpm/bin/pnpm.cjs', files: {}, install: ['install'] },
  {
    name: 'Yarn, node_modules',
    tool: '@yarnpkg/cli-dist@4',
    bin: '@yarnpkg/cli-dist/bin/yarn.js',
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\nenableScripts: false\n' },
    install: ['install', '--no-immutable'],
  },
  {
    name: "Yarn, Plug'n'Play",
    tool: '@yarnpkg/cli-dist@4',
    bin: '@yarnpkg/cli-dist/bin/yarn.js',
    files: { '.yarnrc.yml': 'nodeLinker: pnp\nenableTelemetry: false\nenableScripts: false\n' },
    install: ['install', '--no-immutable'],
    isPnp: true,
  },
];

/** Installs a host with other package managers, compiles it, starts it and asks. */
export async function tryPackageManagers(workshop, { majors }) {
  const nest = majors.at(-1);
  for (const manager of MANAGERS)
    await workshop.try(`${manager.name}, Nest ${nest}`, async () => {
      const folder = await workshop.makeFolder(`manager-${MANAGERS.indexOf(manager)}`);
      const tool = await installTool(workshop, manager);
      await writeHost(folder, { nest, ...HOST });
      await writeFile(join(folder, 'package.json'), JSON.stringify(createManifest(nest, workshop.tarball)));
      for (const [file, text] of Object.entries({ 'yarn.lock': '', ...manager.files }))
        await writeFile(join(folder, file), text);
      const run = (...parameters) => workshop.run(process.execPath, [tool, ...parameters], { cwd: folder });
      await run(...manager.install);
      await run(...(manager.isPnp ? ['run', 'tsc'] : ['exec', 'tsc']), '-p', '.');
      const pnp = ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs'];
      const { server, url } = await workshop.serve(
        process.execPath,
        [...(manager.isPnp ? pnp : []), 'dist/main.js'],
        { cwd: folder, env: { DATA_DIR: join(folder, 'data') } },
      );
      try {
        await ask(url);
      } finally {
        server.kill('SIGKILL');
      }
    });
}

async function installTool(workshop, { tool, bin }) {
  const folder = await workshop.makeFolder(`tool-${tool.replaceAll(/\W/g, '-')}`);
  await writeFile(join(folder, 'package.json'), '{ "name": "tools", "private": true }');
  await workshop.run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tool], {
    cwd: folder,
  });
  return join(folder, 'node_modules', bin);
}

/** A manifest that names what the guide says to install. Nothing is hoisted to where it is not named. */
function createManifest(major, tarball) {
  const { nest, typescript } = NEST[major];
  const ranges = Object.entries(nest).map(([name, range]) => [`@nestjs/${name}`, range]);
  const others = HOST_PACKAGES.map((text) => [
    text.slice(0, text.lastIndexOf('@')),
    text.slice(text.lastIndexOf('@') + 1),
  ]);
  return {
    name: 'prices',
    private: true,
    type: 'module',
    dependencies: {
      ...Object.fromEntries([...ranges, ...others]),
      'nestjs-agent-stream': `file:${tarball}`,
      typescript,
      '@types/node': '^24',
    },
  };
}
