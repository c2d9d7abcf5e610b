/**
 * The settings of the tools in this library. Provide it once: `{ provide: ToolLibraryOptions, useValue: { … } }`.
 * Nothing here is read from the environment; the messages of the tools name the standalone app's variables.
 */
export abstract class ToolLibraryOptions {
  /** Key of the Tavily search service. It goes before `searxngUrl` when both are set. Neither: web_search says so. */
  readonly tavilyApiKey?: string;
  /** Where Tavily is. Default `https://api.tavily.com`. */
  readonly tavilyUrl?: string;
  /** A SearXNG instance whose settings allow `format=json`; most public ones do not. */
  readonly searxngUrl?: string;
  /** `sqlite:<path>`, `file:<path or URL>` or `postgres://…`. Default: a small data set about the countries of the world. */
  readonly lookupDatabaseUrl?: string;
  /** Folder whose `*.md` files, at any depth, knowledge_search finds. */
  abstract readonly knowledgeDirectory: string;
  /** What http_fetch may reach beyond the public web. Default: nothing. */
  readonly httpFetch?: FetchPolicy;
}

/** What a fetch may reach. The default is any public address on ports 80 and 443. */
export interface FetchPolicy {
  /** `host:port` pairs that are exempt from the checks of address and port, for an intranet: whoever can talk to an agent can read them. */
  readonly allowedHosts?: readonly string[];
  /** Default 80 and 443. */
  readonly allowedPorts?: readonly number[];
}
