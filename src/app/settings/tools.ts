import { hostPatterns, hostsAndPorts, path, text, webUrl } from './formats.js';
import { setting } from './setting.js';

export const TOOLS = {
  title: 'Tools',
  outro:
    '`FETCH_ALLOWED_HOSTS` applies to addresses that a model chooses. `TAVILY_URL`, `SEARXNG_URL`, `LOOKUP_DATABASE_URL`, the address of the model and those of MCP servers are chosen by you, so the list does not apply to them, and they may be private.',
  settings: {
    TAVILY_API_KEY: setting('library.tavilyApiKey', {
      format: text(),
      example: 'key-of-tavily',
      effect: 'Searches the web with Tavily, with this API key.',
      details: 'Without it and without `SEARXNG_URL`, the tool replies that it is not configured.',
      isSecret: true,
    }),
    TAVILY_URL: setting('library.tavilyUrl', {
      format: webUrl(),
      unset: 'Tavily’s own',
      example: 'https://tavily.example.com',
      effect: 'Address of Tavily, or of a server with the same API.',
      isSecret: true,
    }),
    SEARXNG_URL: setting('library.searxngUrl', {
      format: webUrl(),
      example: 'http://localhost:8888',
      effect: 'Searches the web with this SearXNG server.',
      details: 'Its JSON format must be enabled. If `TAVILY_API_KEY` is set, Tavily is used instead.',
      isSecret: true,
    }),
    LOOKUP_DATABASE_URL: setting('library.lookupDatabaseUrl', {
      format: text(),
      unset: 'the included data set',
      example: 'postgres://reader:secret@db.example.com/shop',
      effect: 'The database that data lookup reads: SQLite or PostgreSQL. Use an account that can only read.',
      details:
        "Queries are read-only, and each may take up to 15 s. SQLite is read in a few processes of at most 256 MiB, PostgreSQL on at most four connections, where callers take turns. Only the administrator of the database can limit the disk space that a query uses: `ALTER ROLE reader SET temp_file_limit = '256MB'`.",
      isSecret: true,
    }),
    KNOWLEDGE_DIR: setting('library.knowledgeDirectory', {
      format: path(),
      unset: 'the docs of this project',
      example: './docs',
      effect: 'The folder of Markdown files that knowledge search reads. It must exist.',
    }),
    FETCH_ALLOWED_HOSTS: setting('library.httpFetch.allowedHosts', {
      format: hostPatterns(),
      unset: 'every public host',
      example: 'docs.example.com,*.example.org',
      effect:
        'Allows http fetch to reach only these hosts. `*.example.org` matches every host below `example.org`, but not `example.org`.',
      details:
        'The list applies to redirects too. Case does not matter. Names outside ASCII may be written in their own letters or in Punycode. Private addresses remain refused.',
    }),
    FETCH_PRIVATE_HOSTS: setting('library.httpFetch.privateHosts', {
      format: hostsAndPorts(),
      example: 'wiki.internal:8080',
      effect:
        'Allows http fetch to reach these private hosts. Everybody who may use the agent can read them.',
      details:
        'Write them as `host:port`. Public hosts on other ports than 80 and 443 belong here too. The hosts need no entry in `FETCH_ALLOWED_HOSTS`.',
    }),
  },
} as const;
