import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createAgent } from 'langchain';
import { describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { z } from 'zod';
import { answersOf, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import {
  AgentTool,
  ChatModule,
  LangGraphAgent,
  MemoryStorage,
  toolMiddleware,
  type ChatModuleOptions,
  type CompiledGraph,
} from '../../src/index.js';
import { hostServers } from './host.server.js';

@Injectable()
class Weather {
  @AgentTool({ name: 'weather', label: 'Looking outside…', description: 'The weather.', input: z.object({}) })
  look() {
    return 'Rain.';
  }
}

describe("a team's own graph", () => {
  const start = hostServers();

  function serve(agents: ChatModuleOptions['agents']) {
    @Module({
      imports: [
        ChatModule.forRoot({ storage: new MemoryStorage(), auth: { kind: 'local' }, agents, drainMs: 0 }),
      ],
      providers: [Weather],
    })
    class HostModule {}
    return start(HostModule);
  }

  it('answers, also when no model has said the answer', async () => {
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('greet', () => ({ messages: [new AIMessage('Good day.')] }))
      .addEdge(START, 'greet')
      .addEdge('greet', END)
      .compile();
    const server = await serve((kit) => [
      new LangGraphAgent({ ...kit, name: 'greeter', description: 'Greets.', graph }),
    ]);
    const asked = await server.ask();
    await asked.closed();
    expect((await asked.frame('end')).data).toMatchObject({ outcome: 'completed' });
    expect(asked.text).toBe('Good day.');
  });

  it('has the tools of the application by the middleware', async () => {
    const model = new ScriptedModel((messages) => {
      const [answer] = answersOf(messages);
      return answer ? { words: [answer.text] } : { calls: [{ id: 'call-1', name: 'weather', args: '{}' }] };
    });
    const server = await serve(({ tools, tracking, ...kit }) => {
      const agent = createAgent({ model, tools: [], middleware: [toolMiddleware(tools, tracking)] as const });
      const graph = agent.graph as unknown as CompiledGraph;
      return [new LangGraphAgent({ ...kit, tracking, name: 'own', description: 'Our own.', graph })];
    });
    const asked = await server.ask();
    await asked.closed();
    expect((await asked.frame('tool-start')).data).toMatchObject({
      toolName: 'weather',
      label: 'Looking outside…',
    });
    expect(asked.text).toBe('Rain.');
  });
});
