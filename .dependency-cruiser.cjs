/** Who may import whom: docs/architecture.md says why. `npm run imports` enforces it. */

const SPEC = '\\.(spec|testing)\\.ts$';
const LANGCHAIN = 'node_modules/(langchain|@langchain)/';

/** A folder of src may import only these of the others; `errors.ts` and `principal.ts` are for all but events. */
function only(folder, allowed, why) {
  const paths = [folder, ...allowed].map((name) => `^src/${name}(/|\\.ts$)`);
  return {
    name: `${folder}-imports`,
    comment: why,
    severity: 'error',
    from: { path: `^src/${folder}/`, pathNot: SPEC },
    to: { path: '^src/', pathNot: paths },
  };
}

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment:
        'Of two files that need each other at run time, neither can be loaded or replaced alone. Types may.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'events-import-nothing',
      comment: 'Events are read by server, browser and tests alike.',
      severity: 'error',
      from: { path: '^src/events/', pathNot: SPEC },
      to: { pathNot: '^src/events/' },
    },
    only('client', ['events'], 'The client runs in browsers.'),
    {
      name: 'client-imports-no-packages',
      comment: 'The page loads the client as it is, without a bundler.',
      severity: 'error',
      from: { path: '^src/client/', pathNot: SPEC },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    only('tools', ['errors', 'principal', 'events'], 'A tool knows its call, not who drives the agent.'),
    only(
      'agents',
      // What a graph's config and a checkpointer tell each other: a contract of the two, not a storage.
      [
        'errors',
        'principal',
        'events',
        'tools',
        ...['fence', 'keeping', 'place'].map((fact) => `storage/checkpoint.${fact}`),
      ],
      'An agent emits; who records and serves it is not its business.',
    ),
    only(
      'runs',
      ['errors', 'principal', 'events', 'tools', 'agents'],
      'Runs own the ports; storages implement them.',
    ),
    only(
      'storage',
      ['errors', 'principal', 'events', 'runs', 'agents/agent'],
      'A storage knows the ports of runs and agents, not what drives them.',
    ),
    only('auth', ['errors', 'principal'], 'Auth knows callers, not what they ask for.'),
    only('throttling', ['errors', 'principal', 'auth'], 'Limits know callers, not what they ask for.'),
    only(
      'http',
      ['errors', 'principal', 'events', 'auth', 'throttling'],
      'The edge kit serves every protocol and knows none.',
    ),
    {
      name: 'nobody-imports-app',
      comment: 'The standalone app is one user of the package among others.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(app/|main\\.ts$)' },
      to: { path: '^src/(app/|main\\.ts$)' },
    },
    {
      name: 'tests-stay-tests',
      comment: 'What runs in production imports no test kit.',
      severity: 'error',
      from: { path: '^src/', pathNot: [SPEC, '^src/testing/'] },
      to: { path: [SPEC, '^src/testing/'] },
    },
    {
      name: 'mappers-are-pure',
      comment: 'A mapper is a function of the events: no clock, no I/O, no injection. Types cost nothing.',
      severity: 'error',
      from: { path: '\\.mapper\\.ts$' },
      to: {
        dependencyTypesNot: ['type-only'],
        pathNot: ['^src/events/', '^src/errors\\.ts$', '^src/(protocols|agents)/[^/]+/[^/]+$', LANGCHAIN],
      },
    },
    {
      name: 'drivers-in-storage',
      comment: 'Another database is another folder, and nothing else.',
      severity: 'error',
      from: { path: '^src/', pathNot: [SPEC, '^src/storage/[^/]+/', '^src/tools/library/'] },
      to: { path: ['^(node:)?sqlite$', 'node_modules/(pg|@types/pg|ioredis|redis)/'] },
    },
    {
      name: 'langchain-at-its-place',
      comment:
        'Another agent library is another folder beside agents/langgraph. Its MCP adapter is no agent: tools come through it.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [SPEC, '^src/agents/(langgraph|demo)/', '^src/storage/', '^src/testing/'],
      },
      to: { path: LANGCHAIN, pathNot: '@langchain/mcp-adapters/' },
    },
    {
      name: 'mcp-at-its-place',
      comment: 'How MCP servers are reached is the affair of one file.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/tools/mcp/mcp\\.connection\\.ts$' },
      to: { path: ['@langchain/mcp-adapters/', '@modelcontextprotocol/'] },
    },
    {
      name: 'http-at-the-edge',
      comment: 'Only the edge kit, controllers and guards know that there is HTTP.',
      severity: 'error',
      from: { path: '^src/(events|agents|runs|storage|client)/', pathNot: SPEC },
      to: {
        path: [
          '^(node:)?(http|https|http2)$',
          'node_modules/(@types/)?express/',
          'node_modules/@nestjs/platform-',
        ],
      },
    },
    {
      name: 'production-dependencies-only',
      comment:
        'Development dependencies are not installed with the package; peers are, and are both. The app runs in this repository.',
      severity: 'error',
      from: { path: '^src/', pathNot: [SPEC, '^src/testing/', '^src/(app/|main\\.ts$)'] },
      to: {
        dependencyTypes: ['npm-dev'],
        dependencyTypesNot: ['type-only', 'npm-peer'],
        pathNot: 'node_modules/@types/',
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};
