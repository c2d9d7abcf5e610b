import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppError } from '../../errors.js';

/** File types that Node runs only in part: it strips types, but knows neither enums, nor tsx, nor imports without an extension. */
const TYPESCRIPT = new Set(['.ts', '.tsx', '.mts', '.cts', '.jsx']);

/** Imports a module, also one that is written as LangGraph's templates are. For TypeScript this takes the package `jiti`, where it is installed. */
export async function importGraphModule(file: string): Promise<Record<string, unknown>> {
  if (TYPESCRIPT.has(extname(file))) {
    const load = await typescriptLoader(file);
    if (load) return load(file);
  }
  return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
}

type Load = (file: string) => Promise<Record<string, unknown>>;

/** One for each file, so that its own tsconfig.json counts; modules that two of them import are loaded once all the same. */
async function typescriptLoader(file: string): Promise<Load | undefined> {
  const jiti = await import('jiti').catch((cause: unknown) => {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    return undefined;
  });
  if (!jiti) {
    if (/[jt]sx$/.test(file))
      throw new AppError('CONFIG_INVALID', 'It is written in TSX. Install the package jiti.');
    return undefined;
  }
  const loader = jiti.createJiti(file, {
    interopDefault: false,
    jsx: true,
    fsCache: false,
    tsconfigPaths: true,
  });
  return (path) => loader.import<Record<string, unknown>>(path);
}
