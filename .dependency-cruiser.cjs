/** Who may import whom: docs/architecture.md says why. `npm run imports` enforces it. No circle between folders, types included. */

const SPEC = '\\.(spec|testing)\\.ts$';
const LANGCHAIN = 'node_modules/(langchain|@langchain)/';

/** The folders that each folder may import. */
const imports = new Map();

/** Throws if the rules below allow a circle between folders. */
function refuseCircles(folder, path = []) {
  if (path.includes(folder)) throw new Error(`The rules allow a circle: ${[...path, folder].join(' -> ')}.`);
  for (const next of imports.get(folder) ?? []) refuseCircles(next, [...path, folder]);
}

/** A folder of src may import only these of the others; `errors.ts` and `principal.ts` are for all but events, and the port `shared-state.ts` and `option-names.ts` are for all. */
function only(folder, allowed, why) {
  imports.set(folder, new Set(allowed.map((name) => name.split('/')[0])));
  const paths = [folder, 'shared-state', 'option-names', ...allowed].map((name) => `^src/${name}(/|\\.ts$)`);
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
    only(
      'tools',
      ['errors', 'principal', 'security', 'events', 'switches', 'telemetry', 'optional-packages'],
      'A tool knows its call, not who drives the agent.',
    ),
    only(
      'demo',
      ['optional-packages'],
      'The demo model is a stand-in for a provider, and knows nothing else of us but where its data may be.',
    ),
    only(
      'agents',
      ['errors', 'principal', 'byte-slots', 'events', 'telemetry', 'tools', 'demo/demo.model'],
      'An agent emits; who records and serves it is not its business.',
    ),
    only(
      'runs',
      ['errors', 'principal', 'security', 'events', 'switches', 'telemetry', 'tools', 'agents'],
      'Runs own the ports; storages implement them.',
    ),
    only(
      'storage',
      [
        'errors',
        'principal',
        'events',
        'runs',
        // A storage that processes share brings the counters of their limits.
        'throttling',
        'agents/agent',
        'agents/assistant.store',
        'agents/item.store',
        // What a graph's config and metadata tell a checkpointer.
        ...['fence', 'history', 'key', 'run'].map((fact) => `agents/langgraph/checkpoint-${fact}`),
      ],
      'A storage knows the ports of runs and agents, not what drives them.',
    ),
    only(
      'security',
      ['errors', 'principal'],
      'Security events know callers, and nothing of what they ask for.',
    ),
    only(
      'switches',
      ['errors', 'principal', 'security'],
      'Switches know names; whoever begins something asks them.',
    ),
    only(
      'telemetry',
      ['events', 'optional-packages'],
      'Telemetry knows what was measured, and not who measures.',
    ),
    only('openapi', [], 'How schemas are described; it knows none of them.'),
    only(
      'auth',
      ['errors', 'principal', 'security', 'openapi', 'optional-packages', 'brand'],
      'Auth knows callers, not what they ask for.',
    ),
    only(
      'throttling',
      // The port of the budget that runs are started from.
      ['errors', 'principal', 'security', 'byte-slots', 'auth', 'runs/start.budget'],
      'Limits know callers, not what they ask for.',
    ),
    only(
      'http',
      ['errors', 'principal', 'security', 'events', 'switches', 'telemetry', 'auth', 'throttling', 'openapi'],
      'The edge kit serves every protocol and knows none.',
    ),
    only(
      'instance',
      ['storage/storage', 'runs', 'http'],
      'Whether this process works is the affair of no protocol.',
    ),
    only('sign-in', ['errors', 'auth', 'http'], 'Signing in is not about chats.'),
    only(
      'operator',
      [
        'errors',
        'principal',
        'security',
        'events',
        'agents/agent.registry',
        'switches',
        'tools',
        'auth',
        'http',
        'runs',
        'streams',
        'instance',
      ],
      'Operators see names, and nothing of what is said.',
    ),
    only(
      'streams',
      ['errors', 'principal', 'events', 'telemetry', 'auth', 'http', 'runs'],
      'What every protocol needs to serve a run; it knows none of them.',
    ),
    only(
      'protocols',
      [
        'errors',
        'principal',
        'security',
        'events',
        'agents/agent',
        'agents/agent-memory',
        'agents/assistant.store',
        'agents/agent.registry',
        'runs',
        'auth',
        'throttling',
        'openapi',
        'http',
        'streams',
      ],
      'A protocol serves runs in its own words. It knows neither our own protocol nor how the module is put together.',
    ),
    {
      name: 'protocols-apart',
      comment: 'One protocol can be taken out without looking at the others.',
      severity: 'error',
      from: { path: '^src/protocols/([^/]+)/', pathNot: '^src/protocols/transcript/' },
      to: {
        path: '^src/protocols/[^/]+/',
        pathNot: ['^src/protocols/$1/', '^src/protocols/(transcript|fixtures)/'],
      },
    },
    {
      name: 'protocols-in-one-place',
      comment: 'The front door speaks its own protocol; the others it only puts into its module.',
      severity: 'error',
      from: { path: '^src/chat/', pathNot: '^src/chat/chat\\.module\\.ts$' },
      to: { path: '^src/protocols/' },
    },
    {
      name: 'nobody-imports-chat',
      comment: 'The front door is the last of the package: it puts everything together.',
      severity: 'error',
      from: { path: '^src/', pathNot: [SPEC, '^src/(chat|app|testing)/', '^src/(index|main)\\.ts$'] },
      to: { path: '^src/chat/' },
    },
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
      to: { path: [SPEC, '^(src/testing|test)/'] },
    },
    {
      name: 'testing-is-published',
      comment: 'What only our own tests need is in test/, which is not published.',
      severity: 'error',
      from: { path: '^src/testing/', pathNot: SPEC },
      to: { path: '^test/' },
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
      to: { path: ['^(node:)?sqlite$', 'node_modules/(pg|@types/pg|ioredis|redis|@aws-sdk)/'] },
    },
    {
      name: 'langchain-at-its-place',
      comment: 'Another agent library is another folder beside agents/langgraph.',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot: [SPEC, '^src/(agents/langgraph|demo)/', '^src/storage/', '^src/testing/'],
      },
      to: { path: LANGCHAIN },
    },
    {
      name: 'mcp-at-its-place',
      comment: 'How MCP servers are reached is the affair of one file.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/tools/mcp/mcp-client\\.ts$', SPEC] },
      to: { path: '@modelcontextprotocol/' },
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

for (const folder of imports.keys()) refuseCircles(folder);
