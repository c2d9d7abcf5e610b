import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const INSTALLED = join(ROOT, 'node_modules');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}

const { toPublished } = (await import(
  new URL('../../scripts/published-manifest.mjs', import.meta.url).href
)) as { toPublished: (manifest: Manifest) => Manifest };

/**
 * Packs this package and installs the tarball into a folder, as `npm install` would, but from what is installed here already:
 * its dependencies, its peers that are not optional, and what the host names itself. Nothing else can be imported there.
 */
export async function installPacked(folder: string, hostPackages: readonly string[]): Promise<void> {
  const packages = join(folder, 'node_modules');
  const own = join(packages, 'nestjs-agent-stream');
  await mkdir(own, { recursive: true });
  await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: ROOT });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))!;
  await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1'], { cwd: folder });
  // What `prepack` does, without a build and without a change to this repository, in which other tests run.
  const manifest = toPublished(JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as Manifest);
  await writeFile(join(own, 'package.json'), JSON.stringify(manifest));
  const peers = Object.keys(manifest.peerDependencies).filter(
    (name) => !manifest.peerDependenciesMeta[name]?.optional,
  );
  await linkPackages(folder, [...Object.keys(manifest.dependencies), ...peers, ...hostPackages]);
}

/** Installs packages into a folder, from what is installed here already. */
export async function linkPackages(folder: string, names: readonly string[]): Promise<void> {
  for (const name of new Set(names)) {
    const link = join(folder, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    // It may be there already, from an earlier test.
    await rm(link, { force: true });
    await symlink(join(INSTALLED, name), link);
  }
}

/** Compiles a TypeScript project with the types that its own folder resolves. Throws what the compiler says. */
export async function compile(folder: string): Promise<void> {
  try {
    await run(process.execPath, [join(INSTALLED, 'typescript/bin/tsc'), '-p', '.'], { cwd: folder });
  } catch (error) {
    throw new Error((error as { stdout?: string }).stdout || String(error), { cause: error });
  }
}

/** A copy of an example of this repository, without what it may have been run with. */
export async function copyExample(name: string, folder: string): Promise<void> {
  const example = join(ROOT, 'examples', name);
  for (const part of ['src', 'tsconfig.json', 'package.json'])
    await cp(join(example, part), join(folder, part), { recursive: true });
}
