/** A tool as the model sees it when it is bound: what it is called, what it says of itself, and what it takes. */
export interface BoundTool {
  readonly name: string;
  readonly description: string;
  readonly parameters: {
    readonly properties?: Readonly<Record<string, { readonly type?: unknown } | undefined>>;
    readonly required?: readonly string[];
  };
}

/** A use of tools that the demo model knows. */
export type ToolRole = 'calculator' | 'clock' | 'lookup' | 'knowledge' | 'fetch' | 'search';

interface RoleRule {
  readonly name: RegExp;
  readonly description: RegExp;
  /** The names an author may have given to the argument that the model fills, most likely first. */
  readonly argument: RegExp;
}

/** The more particular come first: a "web search" must not be taken for the search in the documentation. */
const ROLES: Readonly<Record<ToolRole, RoleRule>> = {
  calculator: {
    name: /calc|arithmetic|math/i,
    description: /arithmetic|calculat/i,
    argument: /^(expression|formula|input)$/i,
  },
  clock: {
    name: /clock|time/i,
    description: /current (date and )?time|time zone/i,
    argument: /^(time_?zone|zone|tz)$/i,
  },
  lookup: {
    name: /data.?lookup|sql|database/i,
    description: /\bsql\b/i,
    argument: /^(sql|statement|query)$/i,
  },
  search: {
    name: /web.?search|search.?web|tavily|internet/i,
    description: /search(es)? the web/i,
    argument: /^(query|q|question)$/i,
  },
  knowledge: {
    name: /knowledge|docs|documentation/i,
    description: /documentation|knowledge/i,
    argument: /^(query|question|q)$/i,
  },
  fetch: {
    name: /fetch|http|url|read.?page/i,
    description: /fetch(es)?|web page/i,
    argument: /^(url|uri|address)$/i,
  },
};
const ROLE_NAMES = Object.keys(ROLES) as ToolRole[];

/** Returns the use of a tool: by its name if that tells, else by its description; undefined if the demo model cannot use it. */
export function findRole(tool: Pick<BoundTool, 'name'> & Partial<BoundTool>): ToolRole | undefined {
  return (
    ROLE_NAMES.find((role) => ROLES[role].name.test(tool.name)) ??
    ROLE_NAMES.find((role) => ROLES[role].description.test(tool.description ?? ''))
  );
}

/** The bound tool for a role, with the name of the argument to fill; undefined when none is bound that takes such an argument. */
export function toolFor(
  role: ToolRole,
  tools: readonly BoundTool[],
): { readonly tool: BoundTool; readonly argument: string } | undefined {
  for (const tool of tools) {
    if (findRole(tool) !== role) continue;
    const argument = Object.keys(tool.parameters.properties ?? {}).find((name) =>
      ROLES[role].argument.test(name),
    );
    if (argument) return { tool, argument };
  }
  return undefined;
}
