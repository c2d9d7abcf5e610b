import { join } from 'node:path';

/** `nest new`, `nest add nestjs-agent-stream`, build and test, in an empty folder. */
export async function tryNestAdd(workshop, { majors }) {
  for (const major of majors)
    await workshop.try(`nest new and nest add, Nest ${major}`, async () => {
      const parent = await workshop.makeFolder(`add-${major}`);
      const npm = (cwd, ...parameters) => workshop.run('npm', parameters, { cwd });
      const cli = ['exec', '--yes', `--package=@nestjs/cli@${major}`, '--', 'nest'];
      await npm(parent, ...cli, 'new', 'shop', '--skip-install', '--skip-git', '--package-manager', 'npm');
      const folder = join(parent, 'shop');
      // What `nest add` would install from the registry.
      await npm(folder, 'install', '--no-audit', '--no-fund', '--ignore-scripts', workshop.tarball);
      await npm(folder, 'exec', '--', 'nest', 'add', 'nestjs-agent-stream', '--skip-install');
      await npm(folder, 'run', 'build');
      const { stdout, stderr } = await npm(folder, 'test');
      const [passed] = /\d+ passed, \d+ total|Tests +\d+ passed/.exec(stdout + stderr) ?? [];
      if (!/assistant\.module\.spec/.test(stdout + stderr)) throw new Error(stdout + stderr);
      return passed;
    });
}
