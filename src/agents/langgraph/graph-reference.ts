/** Returns the parts of `path/to/module.js#exportName`, or as in langgraph.json `path/to/module.ts:exportName`; without a name, the default export. */
export function splitReference(reference: string): { readonly path: string; readonly exportName: string } {
  // A colon separates as well as `#`, but is also a character of paths: it counts where a file name of a module is before it.
  const [, path = reference, exportName = 'default'] =
    /^([^#]+)#(.+)$/.exec(reference) ??
    /^(.+\.[cm]?[jt]sx?):([\p{ID_Start}$_][\p{ID_Continue}$]*)$/u.exec(reference) ??
    [];
  return { path, exportName };
}
