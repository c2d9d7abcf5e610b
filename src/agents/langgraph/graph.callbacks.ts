import { BaseCallbackHandler, type HandleLLMNewTokenCallbackFields } from '@langchain/core/callbacks/base';
import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  type UsageMetadata,
} from '@langchain/core/messages';
import type { LLMResult } from '@langchain/core/outputs';
import { START } from '@langchain/langgraph';
import { namespaceOf } from './active-run.js';
import { stepIdOf, type GraphFact, type ModelUsage, type Namespace, type Words } from './langgraph.mapper.js';
import type { ToolCallbacks } from './tool.callbacks.js';

interface ModelCall {
  readonly namespace: Namespace;
  readonly model: string;
  /** Its words are not for people: a tag says so, or it was made inside a tool. */
  readonly silent: boolean;
  /** It has said something while it was at work. */
  streamed: boolean;
}

const NO_WORDS: Words = { text: '', reasoning: '' };

/**
 * Hears every token where the model says it. LangGraph's own `messages` stream gets them through a queue that the whole
 * process shares, and loses those that come out of it too late; an awaited handler loses none, and costs half. One handler for
 * everything, tools included: each further one would be called and awaited at every token, whether it wants to hear it or not.
 */
export class GraphCallbacks extends BaseCallbackHandler {
  override readonly name = 'agent-stream';
  override readonly awaitHandlers = true;
  // Makes chat models stream also when the graph only invokes them.
  readonly lc_prefer_streaming = true;

  /** What the last model call threw, if it failed: one that was made again and succeeded is no reason for anything. */
  modelFailure: unknown;
  private readonly calls = new Map<string, ModelCall>();
  private readonly nodes = new Map<string, Namespace>();
  /** What models have said in this run, shown or not. */
  private readonly heard = new Set<string>();

  /**
   * @param tell may return a promise: the model then waits, because too much of what it said is not recorded yet
   * @param tools hears of the tools that the graph calls by itself
   * @param history the ids of the messages that were in the thread before
   */
  constructor(
    private readonly tell: (fact: GraphFact) => void | Promise<void>,
    private readonly isInsideTool: (namespace: Namespace) => boolean,
    private readonly tools: ToolCallbacks,
    private readonly history: ReadonlySet<string | undefined>,
  ) {
    super();
  }

  // The parameters in the order in which they come, which is not the one that the base class declares.
  override handleChainStart(
    _chain: unknown,
    _inputs: unknown,
    callId: string,
    _parent?: string,
    _tags?: string[],
    metadata: Record<string, unknown> = {},
    _type?: string,
    name?: string,
  ): void | Promise<void> {
    // The node itself, and not a chain inside it; nor LangGraph's own, which only hands the input on.
    if (name === undefined || name !== metadata.langgraph_node || name === START) return;
    const namespace = namespaceOf(metadata);
    this.nodes.set(callId, namespace);
    return this.tell({ kind: 'step-started', namespace });
  }

  /** A node may answer without any model, or with words that no model of its has said: they are the answer all the same. */
  override async handleChainEnd(outputs: unknown, callId: string): Promise<void> {
    const namespace = this.nodes.get(callId);
    this.nodes.delete(callId);
    if (namespace === undefined || this.isInsideTool(namespace)) return;
    for (const { id, text } of answersIn(outputs)) {
      if (text === '' || this.heard.has(text) || (id !== undefined && this.history.has(id))) continue;
      this.heard.add(text);
      await this.tell({ kind: 'token', modelCallId: callId, namespace, words: { text, reasoning: '' } });
      await this.tell({ kind: 'model-finished', modelCallId: callId, namespace });
    }
  }

  override handleChainError(_error: unknown, callId: string): void | Promise<void> {
    const namespace = this.nodes.get(callId);
    this.nodes.delete(callId);
    if (namespace !== undefined) return this.tell({ kind: 'step-failed', stepId: stepIdOf(namespace) });
  }

  override handleChatModelStart(
    _model: unknown,
    _messages: BaseMessage[][],
    modelCallId: string,
    _parent?: string,
    _extra?: Record<string, unknown>,
    tags: string[] = [],
    metadata: Record<string, unknown> = {},
  ): void | Promise<void> {
    this.modelFailure = undefined;
    const namespace = namespaceOf(metadata);
    const silent =
      tags.includes('nostream') || tags.includes('langsmith:nostream') || this.isInsideTool(namespace);
    const { ls_model_name: model } = metadata;
    this.calls.set(modelCallId, {
      namespace,
      silent,
      streamed: false,
      model: typeof model === 'string' ? model : 'unknown',
    });
    return this.tell({ kind: 'step-started', namespace });
  }

  override handleLLMNewToken(
    token: string,
    _indices: unknown,
    modelCallId: string,
    _parent?: string,
    _tags?: string[],
    fields?: HandleLLMNewTokenCallbackFields,
  ): void | Promise<void> {
    const call = this.calls.get(modelCallId);
    if (!call || call.silent) return;
    const chunk =
      fields?.chunk && 'message' in fields.chunk ? (fields.chunk.message as AIMessageChunk) : undefined;
    const words = chunk ? wordsOf(chunk.content, chunk.additional_kwargs) : { text: token, reasoning: '' };
    if (words === NO_WORDS) return;
    call.streamed = true;
    return this.tell({ kind: 'token', modelCallId, namespace: call.namespace, words });
  }

  override async handleLLMEnd(output: LLMResult, modelCallId: string): Promise<void> {
    const call = this.calls.get(modelCallId);
    if (!call) return;
    this.calls.delete(modelCallId);
    const generation = output.generations[0]?.[0];
    const message =
      generation && 'message' in generation ? (generation.message as AIMessageChunk) : undefined;
    const named = message?.response_metadata?.model_name ?? message?.response_metadata?.model;
    const model = typeof named === 'string' ? named : call.model;
    const usage = message?.usage_metadata && usageOf(message.usage_metadata, model);
    const words = message && wordsOf(message.content, message.additional_kwargs);
    if (words && words !== NO_WORDS) {
      this.heard.add(words.text);
      // A model that does not stream says everything at its end.
      const { namespace } = call;
      if (!call.streamed && !call.silent) await this.tell({ kind: 'token', modelCallId, namespace, words });
    }
    await this.tell({
      kind: 'model-finished',
      modelCallId,
      namespace: call.namespace,
      ...(usage && { usage }),
    });
  }

  override handleLLMError(error: unknown, modelCallId: string): void | Promise<void> {
    this.modelFailure = error;
    this.calls.delete(modelCallId);
    return this.tell({ kind: 'model-failed', modelCallId });
  }

  override handleToolStart(...call: Parameters<ToolCallbacks['handleToolStart']>): void {
    this.tools.handleToolStart(...call);
  }

  override handleToolEvent(update: unknown, callId: string): void {
    this.tools.handleToolEvent(update, callId);
  }

  override handleToolEnd(output: unknown, callId: string): void {
    this.tools.handleToolEnd(output, callId);
  }

  override handleToolError(error: unknown, callId: string): void {
    this.tools.handleToolError(error, callId);
  }
}

function usageOf(usage: UsageMetadata, model: string): ModelUsage {
  return {
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    totalTokens: usage.total_tokens,
    model,
  };
}

/** The assistant's messages in what a node returned: a state update, a Command with one, or messages by themselves. */
function answersIn(outputs: unknown): AIMessage[] {
  if (Array.isArray(outputs)) return outputs.flatMap((output: unknown) => answersIn(output));
  if (AIMessage.isInstance(outputs)) return [outputs];
  if (typeof outputs !== 'object' || outputs === null) return [];
  if ('update' in outputs) return answersIn(outputs.update);
  return 'messages' in outputs ? answersIn(outputs.messages) : [];
}

/** The text and the reasoning of a chunk: a plain string, or blocks; some providers put reasoning beside the content. */
function wordsOf(content: AIMessageChunk['content'], beside: Record<string, unknown>): Words {
  const reasoningBeside = typeof beside.reasoning_content === 'string' ? beside.reasoning_content : '';
  if (typeof content === 'string') {
    return content === '' && reasoningBeside === ''
      ? NO_WORDS
      : { text: content, reasoning: reasoningBeside };
  }
  let text = '';
  let reasoning = reasoningBeside;
  for (const block of content) {
    if (block.type === 'text' && typeof block.text === 'string') text += block.text;
    else if (block.type === 'reasoning' && typeof block.reasoning === 'string') reasoning += block.reasoning;
    else if (block.type === 'thinking' && typeof block.thinking === 'string') reasoning += block.thinking;
  }
  return text === '' && reasoning === '' ? NO_WORDS : { text, reasoning };
}
