import { parseAgents, type AgentReference } from '../../agents/langgraph/graph.loader.js';
import { DEFAULT_RECURSION_LIMIT } from '../../agents/langgraph/langgraph-agent.options.js';
import { DEFAULT_STATE_MAX_BYTES } from '../../agents/langgraph/exposed-state.js';
import { DEFAULT_SILENCE_MS, parseModels } from '../../agents/langgraph/model.factory.js';
import { DEFAULT_PACE_MS } from '../../demo/demo.model.js';
import {
  format,
  integer,
  mediaRanges,
  mediaRangesOfAgents,
  namedPartsOfAgents,
  names,
  partsOfAgents,
  seconds,
  text,
  webUrl,
} from './formats.js';
import { part, setting } from './setting.js';

const modelName = format((value) => {
  parseModels(value);
  return value;
});

const agentList = format(parseAgents, (agents) =>
  agents.map(({ name, reference }) => `${name}=${reference}`).join(','),
);

const OWN = { AGENTS: 'support=./agents/support.js#graph' };

export const MODELS = {
  title: 'Agents and models',
  settings: {
    MODEL: part('model.name', {
      format: modelName,
      default: 'demo',
      example: 'ollama:qwen3',
      effect: 'The model that answers: `demo`, `openai:<model>`, `anthropic:<model>` or `ollama:<model>`.',
      details:
        '`demo` works offline and without a key, and says that it is a demo. Another example: `openai:gpt-4.1-mini`. Several models, separated by commas, are a chain: each answers if the one before it fails, and `usage` names the one that answered. `MODEL_BASE_URL` and `MODEL_API_KEY` apply to all of them.',
      isAboutSecurity: false,
    }),
    MODEL_BASE_URL: setting('model.baseUrl', {
      format: webUrl(),
      unset: 'the provider’s own',
      example: 'http://localhost:8000/v1',
      effect: 'Sends requests to this server instead of the provider’s own. It must have the provider’s API.',
      details: 'A key is then optional.',
      isSecret: true,
      isAboutSecurity: false,
    }),
    MODEL_API_KEY: part('model.apiKey', {
      format: text(),
      unset: 'the provider’s own setting below',
      example: 'key-of-any-provider',
      effect: 'The API key for the provider that `MODEL` names.',
      details: 'It takes precedence over the two settings below.',
      isSecret: true,
    }),
    OPENAI_API_KEY: part('model.apiKey', {
      format: text(),
      example: 'key-of-openai',
      needs: { MODEL: 'openai:gpt-4.1-mini' },
      effect: 'The API key for `openai:` models. It is sent to no other provider.',
      isSecret: true,
    }),
    ANTHROPIC_API_KEY: part('model.apiKey', {
      format: text(),
      example: 'key-of-anthropic',
      needs: { MODEL: 'anthropic:claude-sonnet-4-5' },
      effect: 'The API key for `anthropic:` models. It is sent to no other provider.',
      isSecret: true,
    }),
    MODEL_TIMEOUT_SECONDS: setting('model.timeoutMs', {
      format: seconds(1, 3600),
      default: 120_000,
      example: '60',
      effect: 'Gives up if the provider has not begun its answer after this time.',
      details:
        'The run then ends `failed` with `MODEL_UNREACHABLE`. The length of an answer that has begun is not limited.',
      isAboutSecurity: false,
    }),
    MODEL_SILENCE_SECONDS: setting('model.silenceMs', {
      format: seconds(1, 3600),
      default: DEFAULT_SILENCE_MS,
      example: '60',
      effect: 'Gives up if the provider sends nothing for this time after it has begun its answer.',
      details:
        'The run then ends `failed` with `MODEL_FAILED`, and can be tried again. An answer begins with its headers. Comments that only keep the connection open count as nothing.',
      isAboutSecurity: false,
    }),
    MODEL_CONTEXT_TOKENS: setting('assistant.contextMaxTokens', {
      format: integer(1_000, 100_000_000),
      unset: '80 % of the model’s maximum',
      example: '100000',
      effect:
        'If a conversation has more tokens than this, by estimate, its oldest turns are not sent to the model.',
      details:
        'They stay in the thread. The model’s maximum is the one that LangChain knows. For a model that LangChain does not know, there is no limit. If a provider refuses a conversation as too long, half of it is sent, up to three times.',
      isAboutSecurity: false,
    }),
    MODEL_ACCEPTS: setting('assistant.accepts', {
      format: mediaRanges(),
      unset: 'what LangChain knows of the model, and text',
      example: 'image/*,application/pdf',
      effect: 'Media types of files that the built-in agent takes in a message, and ranges of them.',
      details:
        'Set it for a model that LangChain does not know, such as one behind `MODEL_BASE_URL`. A message with another file gets 422 before anything is stored. Text files become part of the message. See [files](../guides/files.md).',
      isAboutSecurity: false,
    }),
    DEMO_PACE_MS: setting('model.demoPaceMs', {
      format: integer(0, 10_000),
      default: DEFAULT_PACE_MS,
      example: '0',
      effect: 'Time that the demo model takes for a word, in milliseconds. `0` is for tests.',
      isAboutSecurity: false,
    }),
    AGENTS: part('agents', {
      format: agentList,
      default: [] as readonly AgentReference[],
      example: OWN.AGENTS,
      effect:
        'Offers LangGraph graphs of your own: `name=path#export,…`. The first is the default agent, and the demo is off.',
      details:
        'You may also write `name=path:export`. Paths are relative to the working directory. Names consist of letters, digits, `_` and `-`. The built-in agent remains available unless it is the demo. See [bring your own graph](../guides/bring-your-own-graph.md).',
      isAboutSecurity: false,
    }),
    LANGGRAPH_JSON: part('agents', {
      format: text(),
      example: '../project/langgraph.json',
      effect: 'Offers the graphs of this LangGraph Server project, with its `env` in their environment.',
      details:
        'They follow those of `AGENTS`. A variable that is already set in the environment keeps its value. At start, the log lists the parts of the file that are not used, and what to do instead.',
      isAboutSecurity: false,
    }),
    AGENT_ACCEPTS: setting('graphAccepts', {
      format: mediaRangesOfAgents(),
      default: new Map(),
      example: 'support.image/*,support.application/pdf',
      needs: OWN,
      effect: 'Media types of files that graphs take in a message, and ranges of them: `agent.type`.',
      details:
        'A graph that is not named here takes no files. Its nodes get their bytes by `fileMiddleware` or `readFiles`: see [files](../guides/files.md#what-the-model-gets).',
      isAboutSecurity: false,
    }),
    DEFAULT_AGENT: part('agentNames', {
      format: text(),
      unset: 'the first of your own graphs',
      example: 'assistant',
      needs: OWN,
      effect: 'The agent that answers when a request names none. `assistant` is the built-in agent.',
      details: 'If you name it here, it is available even with `MODEL=demo`.',
      isAboutSecurity: false,
    }),
    EXPOSED_STATE: setting('exposedState', {
      format: partsOfAgents(),
      default: new Map(),
      example: 'support.todos',
      needs: OWN,
      effect:
        'Shows people these keys of the state of graphs, beside the messages: `agent.key`, or `agent.*` for all that the output schema has.',
      details:
        'Graphs of `LANGGRAPH_JSON` that are not named here show all. `agent.messages` shows messages only, with those that nodes write in the person’s name. See [state](../guides/bring-your-own-graph.md#state).',
    }),
    STATE_MAX_BYTES: setting('ownGraphs.stateMaxBytes', {
      format: integer(1_024, 16 * 1024 * 1024),
      default: DEFAULT_STATE_MAX_BYTES,
      example: '65536',
      effect:
        'Leaves the largest keys out of the state that a graph shows, until it has at most this many bytes.',
      details: 'The `state` event names the keys that are left out.',
    }),
    EXPOSED_TOOLS: setting('exposedTools', {
      format: partsOfAgents(),
      default: new Map(),
      example: 'support.search',
      needs: OWN,
      effect:
        'Shows people the arguments and results of these tools of graphs: `agent.tool`, or `agent.*` for all tools of an agent.',
    }),
    EXPOSED_ERRORS: setting('exposedErrors', {
      format: names('agents, such as support,research'),
      default: [],
      example: 'support',
      needs: OWN,
      effect: "Shows people the name and the message of errors that these agents' graphs throw.",
      details:
        "As LangGraph's server does. Such texts may name hosts, files, queries and other people's data. Without it, people read that the agent failed, and the log has the error.",
    }),
    CONFIGURABLE_KEYS: setting('configurableKeys', {
      format: namedPartsOfAgents(),
      default: new Map(),
      example: 'support.model',
      needs: OWN,
      effect:
        "Allows requests to set these keys of a graph's `configurable`: `agent.key`, or `agent.*` for all except those that LangGraph and this server set, and `user_id`.",
      details: 'Requests with other keys are refused.',
    }),
    STATE_CHANGES: setting('stateChanges', {
      format: names('agents, such as support,research'),
      default: [],
      example: 'support',
      needs: OWN,
      effect:
        "Allows requests to change the state of these agents' graphs, and to choose the node that runs next.",
      details:
        "For `threads.updateState` and `command` of LangGraph's clients. Such a request can go past any node of the graph, also one that checks or asks.",
    }),
    STATE_HISTORY: setting('stateHistory', {
      format: names('agents, such as support,research'),
      default: [],
      example: 'support',
      needs: OWN,
      effect: "Keeps the state of these agents' graphs after each superstep, and not only after each run.",
      details:
        "The history of LangGraph's clients has them all, and a thread can be continued from each. They count for `THREAD_STATES_MAX_MB`. Only these agents take LangGraph's stream modes `tasks`, `checkpoints` and `debug`.",
      isAboutSecurity: false,
    }),
    RECURSION_LIMIT: setting('ownGraphs.recursionLimit', {
      format: integer(1, 1_000_000),
      default: DEFAULT_RECURSION_LIMIT,
      example: '25',
      effect: 'Ends a run of a graph after this number of steps, if the graph has no limit of its own.',
      details:
        'Steps are supersteps of LangGraph, and a graph sets its limit by `withConfig({ recursionLimit })`. The run ends `failed` with `RUN_LIMIT`.',
      // About how long a graph may go round: test/agents.spec.ts.
      isAboutSecurity: false,
    }),
  },
} as const;
