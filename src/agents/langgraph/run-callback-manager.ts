import type { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { CallbackManager } from '@langchain/core/callbacks/manager';
import { Pregel } from '@langchain/langgraph/pregel';

/** Returns the callbacks for a run of a graph. A graph of another copy of LangGraph gets the handler, and makes a manager of its own version. */
export function manageCallbacks(
  graph: object,
  handler: BaseCallbackHandler,
): CallbackManager | BaseCallbackHandler[] {
  if (!(graph instanceof Pregel)) return [handler];
  return new RunCallbackManager(undefined, { handlers: [handler], inheritableHandlers: [handler] });
}

interface HasChildren {
  getChild(tag?: string): CallbackManager;
}

/**
 * Hands callbacks on to all that a run calls, as LangChain's own manager does, and copies itself in linear time. LangChain copies the manager for each
 * call of a run, and all metadata once for each of its keys: that was a twentieth of what a short run costs.
 */
export class RunCallbackManager extends CallbackManager {
  override copy(...additional: Parameters<CallbackManager['copy']>): CallbackManager {
    const { handlers, inheritableHandlers, tags, inheritableTags, metadata, inheritableMetadata } = this;
    const bare = {
      handlers,
      inheritableHandlers,
      tags,
      inheritableTags,
      metadata: {},
      _parentRunId: this._parentRunId,
    };
    const copied = become(super.copy.apply(bare, additional));
    copied.metadata = { ...metadata };
    for (const key of Object.keys(metadata))
      if (Object.hasOwn(inheritableMetadata, key)) copied.inheritableMetadata[key] = metadata[key];
    return copied;
  }

  override async handleChainStart(...call: Parameters<CallbackManager['handleChainStart']>) {
    return withChildren(await super.handleChainStart(...call));
  }

  override async handleToolStart(...call: Parameters<CallbackManager['handleToolStart']>) {
    return withChildren(await super.handleToolStart(...call));
  }
}

function withChildren<Run extends HasChildren>(run: Run): Run {
  const getChild = run.getChild.bind(run);
  run.getChild = (tag) => become(getChild(tag));
  return run;
}

/** The manager itself, which has all fields of the class: a second object for each of a run's forty managers would cost as much as the first. */
function become(manager: CallbackManager): RunCallbackManager {
  return Object.setPrototypeOf(manager, RunCallbackManager.prototype) as RunCallbackManager;
}
