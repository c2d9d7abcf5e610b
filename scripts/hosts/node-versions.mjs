import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST_PACKAGES, NEST } from './packages.mjs';

const VERSIONS = ['20.20.2', '22.23.3', '24.21.0'];

/** Installs the tarball with npm on each version of Node, and counts the warnings: there is no wall of them. */
export async function tryNodeVersions(workshop, { majors }) {
  for (const version of VERSIONS)
    for (const major of majors)
      await workshop.try(`npm install on Node ${version}, Nest ${major}`, async () => {
        const folder = await workshop.makeFolder(`node-${version}-${major}`);
        await writeFile(join(folder, 'package.json'), '{ "name": "host", "private": true }');
        const platform = `node-${process.platform}-${process.arch}`;
        const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--loglevel=warn'];
        const tools = await workshop.makeFolder(`tools-${version}`);
        await writeFile(join(tools, 'package.json'), '{ "name": "tools", "private": true }');
        await workshop.run('npm', ['install', ...options, `${platform}@${version}`, 'npm@11'], {
          cwd: tools,
        });
        const node = join(tools, 'node_modules', platform, 'bin/node');
        const npm = join(tools, 'node_modules/npm/bin/npm-cli.js');
        const nest = Object.entries(NEST[major].nest).map(([name, range]) => `@nestjs/${name}@${range}`);
        const { stderr } = await workshop.run(
          node,
          [npm, 'install', ...options, workshop.tarball, ...nest, ...HOST_PACKAGES],
          { cwd: folder },
        );
        const warned = stderr.match(/EBADENGINE Unsupported/g)?.length ?? 0;
        // Of Node 20 we say so ourselves, once.
        const isSupported = !version.startsWith('20.');
        if (isSupported && warned > 0) throw new Error(stderr);
        return `${warned} EBADENGINE warnings`;
      });
}
