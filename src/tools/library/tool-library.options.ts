/**
 * The settings of the tools in this library. Provide it once: `{ provide: ToolLibraryOptions, useValue: { … } }`.
 * Nothing here is read from the environment; the messages of the tools name the standalone app's variables.
 */
export abstract class ToolLibraryOptions {
  /** Key of the Tavily search service. It goes before `searxngUrl` when both are set. Neither: web_search says so. */
  readonly tavilyApiKey?: string;
  /** Address of Tavily. Default `https://api.tavily.com`. */
  readonly tavilyUrl?: string;
  /** A SearXNG instance whose settings allow `format=json`; most public ones do not. */
  readonly searxngUrl?: string;
  /** `sqlite:<path>`, `file:<path or URL>` or `postgres://…`. Default: a small data set about the countries of the world. */
  readonly lookupDatabaseUrl?: string;
  /** Folder whose `*.md` files, at any depth, knowledge_search finds. */
  abstract readonly knowledgeDirectory: string;
  /**
   * Rules for the addresses that http_fetch may reach. Default: any public host. The addresses above are the operator's own and not
   * subject to it: search and lookup go where they are told.
   */
  readonly httpFetch?: FetchPolicy;
}

/** Rules for the addresses that a fetch may reach, at every redirect. The default is any public address on ports 80 and 443. */
export interface FetchPolicy {
  /**
   * The only hosts that may be fetched: `docs.example.com`, or `*.example.org` for all below `example.org` but not itself. Case and a
   * dot at the end do not matter, and a name may be written in its own letters or in Punycode. An empty list allows none. Private
   * addresses stay refused. Default: every host.
   */
  readonly allowedHosts?: readonly string[];
  /**
   * `host:port` pairs that may be fetched although they are private, or on another port, for an intranet: a person who can talk to an
   * agent can read them. They need no entry in `allowedHosts`. Default: none.
   */
  readonly privateHosts?: readonly string[];
  /** Default 80 and 443. */
  readonly allowedPorts?: readonly number[];
}
