import { afterEach, describe, expect, it } from '@jest/globals';
import { createDeepAgent } from 'deepagents';
import { createMiddleware, tool } from 'langchain';
import { z } from 'zod';
import { answer, ask } from './graph-interrupts.testing.js';
import {
  chat,
  call,
  closeStacks,
  graphAgent,
  noteTool,
  scripted,
  stackWith,
} from './langgraph-stack.testing.js';
import { findToolMessages } from './langgraph.testing.js';

afterEach(closeStacks);

describe('middleware', () => {
  it('of the built-in agent works around its models and the tools of this application', async () => {
    const heard: string[] = [];
    const listening = createMiddleware({
      name: 'Listening',
      wrapModelCall: (request, handler) => {
        heard.push('model');
        return handler(request);
      },
      wrapToolCall: (request, handler) => {
        heard.push(request.toolCall.name);
        return handler(request);
      },
    });
    const model = scripted((messages, turn) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Noted.'] }
        : { calls: [call(`c${turn}`, 'note', '{"note":"x"}')] },
    );
    const stack = await stackWith(chat(model, { middleware: [listening] }), {
      tools: [noteTool('note', () => 'ok')],
    });
    const first = await stack.answerTo('One');
    const second = await stack.answerTo('Two', first.threadId);
    expect([first.text, second.text]).toEqual(['Noted.', 'Noted.']);
    const turn = ['model', 'note', 'model'];
    expect(heard).toEqual([...turn, ...turn]);
  });

  it("of a deep agent asks before a call that is in its `interruptOn`, of its own and of its helper's", async () => {
    const paid: number[] = [];
    const pay = tool(({ sum }) => `paid ${paid.push(sum)}`, {
      name: 'pay',
      description: 'Pays.',
      schema: z.object({ sum: z.number() }),
    });
    const paying = (sum: number) =>
      scripted((messages, turn) =>
        findToolMessages(messages).length > 0
          ? { chunks: ['Paid.'] }
          : { calls: [call(`pay${sum}-${turn}`, 'pay', `{"sum":${sum}}`)] },
      );
    const graph = createDeepAgent({ model: paying(1), tools: [pay], interruptOn: { pay: true } });
    const stack = await stackWith(graphAgent(graph));
    const stopped = await ask(stack);
    expect(stopped.requests).toMatchObject([{ value: { actionRequests: [{ name: 'pay' }] } }]);
    expect(paid).toEqual([]);
    const next = await answer(stack, stopped, { decisions: [{ type: 'approve' }] });
    expect([next.text, paid]).toEqual(['Paid.', [1]]);

    const sending = scripted((messages, turn) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Done.'] }
        : { calls: [call(`t${turn}`, 'task', '{"description":"Pay","subagent_type":"payer"}')] },
    );
    const payer = { name: 'payer', description: 'P.', systemPrompt: 'Pay.', model: paying(2), tools: [pay] };
    const chief = createDeepAgent({
      model: sending,
      subagents: [{ ...payer, interruptOn: { pay: true } }],
    });
    const other = await stackWith(graphAgent(chief));
    const asked = await ask(other);
    expect(asked.requests).toMatchObject([{ value: { actionRequests: [{ name: 'pay' }] } }]);
    const done = await answer(other, asked, { decisions: [{ type: 'approve' }] });
    expect([done.text, paid]).toEqual(['Done.', [1, 2]]);
  });
});
