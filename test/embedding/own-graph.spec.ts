import { AIMessage } from '@langchain/core/messages';
import { END, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createAgent } from 'langchain';
import { describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { z } from 'zod';
import { findToolMessages, ScriptedModel } from '../../src/agents/langgraph/langgraph.testing.js';
import { AgentTool, ChatModule, type ChatModuleOptions } from '../../src/index.js';
import { LangGraphAgent, toolMiddleware } from '../../src/agents/langgraph/index.js';
import { MemoryStorage } from '../../src/storage/index.js';
import { hostServers } from './host.server.js';

@Injectable()
class Weather {
  @AgentTool({ name: 'weather', label: 'Looking outside…', description: 'The weather.', input: z.object({}) })
  look() {
    return 'Rain.';
  }
}

describe('graph of a host', () => {
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

  it('streams a reply that was written by a node without a model', async () => {
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

  it("calls the application's tools through toolMiddleware", async () => {
    const model = new ScriptedModel((messages) => {
      const [answer] = findToolMessages(messages);
      return answer ? { chunks: [answer.text] } : { calls: [{ id: 'call-1', name: 'weather', args: '{}' }] };
    });
    const server = await serve(({ tools, tracking, ...kit }) => {
      const agent = createAgent({ model, tools: [], middleware: [toolMiddleware(tools, tracking)] as const });
      return [new LangGraphAgent({ ...kit, tracking, name: 'own', description: 'Our own.', graph: agent })];
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
