import type { Provider } from '@nestjs/common';
import { isInstalled } from '../optional-packages.js';
import { CalculatorTool } from '../tools/library/calculator/calculator.tool.js';
import { DataLookupTool } from '../tools/library/data-lookup/data-lookup.tool.js';
import { LIBRARY_TOOLS } from '../tools/library/tool-library.js';
import { ToolLibraryOptions } from '../tools/library/tool-library.options.js';

type Lookup = Pick<ToolLibraryOptions, 'lookupDatabaseUrl'>;

/** Returns the library's tools that can work here. In production a package that one tool alone needs is only where it was added. */
export function listTools(options: ToolLibraryOptions): Provider[] {
  const left = new Set(listLeftOut(options).map(({ tool }) => tool));
  return [
    ...LIBRARY_TOOLS.filter((tool) => !left.has(tool)),
    { provide: ToolLibraryOptions, useValue: options },
  ];
}

/** Returns which tools are left out, and what to do about it. */
export function warningsAboutTools(options: Lookup): string[] {
  return listLeftOut(options).map(
    ({ name, needs }) =>
      `The tool ${name} is left out: its package is not installed. To have it: npm i ${needs}`,
  );
}

function listLeftOut({ lookupDatabaseUrl }: Lookup) {
  const needy = [
    { tool: CalculatorTool as Provider, name: 'calculator', needs: 'mathjs' },
    ...(lookupDatabaseUrl
      ? []
      : [{ tool: DataLookupTool as Provider, name: 'data_lookup', needs: 'world-countries' }]),
  ];
  return needy.filter(({ needs }) => !isInstalled(needs));
}
