import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { CallbackManager } from '@langchain/core/callbacks/manager';
import { AIMessage } from '@langchain/core/messages';
import { MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { manageCallbacks } from './run-callback-manager.js';

class Handler extends BaseCallbackHandler {
  readonly name = 'handler';
}

const graph = new StateGraph(MessagesAnnotation)
  .addNode('say', () => ({ messages: [new AIMessage('Hi.')] }))
  .addEdge(START, 'say')
  .compile();

const managed = (handler: BaseCallbackHandler) => manageCallbacks(graph, handler) as CallbackManager;

/** All that a manager hands on. */
const describeManager = (manager: CallbackManager) => ({
  parent: manager.getParentRunId(),
  handlers: manager.handlers,
  inheritableHandlers: manager.inheritableHandlers,
  tags: manager.tags,
  inheritableTags: manager.inheritableTags,
  metadata: manager.metadata,
  inheritableMetadata: manager.inheritableMetadata,
});

describe('the callback manager of a run', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it("hands on, in copies and to children, what LangChain's own does", async () => {
    const [handler, local] = [new Handler(), new Handler()];
    const theirs = new CallbackManager(undefined, { handlers: [handler], inheritableHandlers: [handler] });
    const described = await Promise.all(
      [theirs, managed(handler)].map(async (manager) => {
        manager.addMetadata({ a: 1, b: { c: 2 } });
        manager.addMetadata({ a: 'local', d: undefined }, false);
        manager.addTags(['one', 'two']);
        manager.addTags(['local'], false);
        const copy = manager.copy([local], false);
        const chainRun = await copy.handleChainStart({} as never, {}, 'chain-run');
        const child = chainRun.getChild('step').copy();
        const toolRun = await child.handleToolStart({} as never, 'input', 'tool-run');
        return [manager, copy, chainRun.getChild(), child, toolRun.getChild()].map(describeManager);
      }),
    );
    expect(described[1]).toEqual(described[0]);
  });

  it('shares nothing with its copies that one of them could change', () => {
    const manager = managed(new Handler());
    manager.addMetadata({ a: 1 });
    const before = JSON.stringify(describeManager(manager).metadata);
    const copy = manager.copy();
    copy.addMetadata({ b: 2 });
    copy.addTags(['tag']);
    copy.addHandler(new Handler());
    copy.removeMetadata({ a: 1 });
    expect(JSON.stringify(manager.metadata)).toBe(before);
    expect([manager.tags, manager.handlers.length]).toEqual([[], 1]);
  });

  it('copies metadata at once, and not key by key, in its copies and children too', async () => {
    const manager = managed(new Handler());
    manager.addMetadata({ a: 1, b: 2, c: 3 });
    const run = await manager.copy().handleChainStart({} as never, {}, 'run');
    const child = run.getChild().copy();
    const added = jest.spyOn(CallbackManager.prototype, 'addMetadata');
    expect(child.copy().metadata).toEqual({ a: 1, b: 2, c: 3 });
    expect(added).not.toHaveBeenCalled();
  });

  it('leaves the manager to a graph of another copy of LangGraph', () => {
    const handler = new Handler();
    expect(manageCallbacks({}, handler)).toEqual([handler]);
  });
});
