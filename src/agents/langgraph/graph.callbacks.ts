import { BaseCallbackHandler, type HandleLLMNewTokenCallbackFields } from '@langchain/core/callbacks/base';
import {
  AIMessage,
  ToolMessage,
  BaseMessage,
  type AIMessageChunk,
  type UsageMetadata,
} from '@langchain/core/messages';
import type { LLMResult } from '@langchain/core/outputs';
import { START } from '@langchain/langgraph';
import type { FinishReason } from '../../events/run-event.js';
import { normalizeUsage } from '../../events/usage.js';
import { parseNamespace } from './active-run.js';
import { receiveAnswer, receiveResult } from './arrivals.js';
import { readFinishReason } from './finish-reason.js';
import { NO_WORDS, readWords } from './message-shape.js';
import { getStepId, type GraphFact, type ModelUsage, type Namespace } from './langgraph.mapper.js';
import type { SpokenMessages } from './spoken-messages.js';
import type { ToolCallbacks } from './tool.callbacks.js';
import { holdsUnreadable, UNREADABLE_WORDS } from './unreadable-calls.js';

interface ModelCall {
  /** The conversation that it was asked about. */
  readonly asked: readonly BaseMessage[];
  readonly namespace: Namespace;
  readonly model: string;
  /**
   * Its words are not for people: a tag says so, or it was made inside a tool (`always`). Or they are data for the graph, which may make a message of
   * them all the same (`until-returned`).
   */
  readonly silent: false | 'always' | 'until-returned';
  /** It has said something while it was at work. */
  streamed: boolean;
}

/** State that the callbacks of a run share with the rest of it. */
export interface RunConversation {
  /** The messages that were in the thread before. */
  readonly thread: readonly BaseMessage[];
  /** Bytes of text of a tool's result that go into the conversation; the rest is cut off, with a note. */
  readonly resultMaxBytes: number;
  /** Learns of each message that a model has ended. */
  readonly spoken: SpokenMessages;
  /** Gets what a node returned. */
  readonly settle: (output: unknown, namespace: Namespace) => void | Promise<void>;
}

/**
 * Hears every token where the model says it. LangGraph's own `messages` stream gets them through a queue that the whole
 * process shares, and loses those that come out of it too late; an awaited handler loses none, and costs half. One handler for
 * everything, tools included: each further one would be called and awaited at every token, whether it wants to hear it or not.
 */
export class GraphCallbacks extends BaseCallbackHandler {
  override readonly name = 'agent-stream';
  override readonly awaitHandlers = true;
  // Makes chat models stream even when the graph only invokes them.
  readonly lc_prefer_streaming = true;

  /** The error of the last model call if it failed; cleared when the call is repeated and succeeds. */
  modelFailure: unknown;
  private readonly calls = new Map<string, ModelCall>();
  private readonly nodes = new Map<string, Namespace>();
  private readonly history: ReadonlySet<string | undefined>;
  /** The messages of the thread and the answers of this run: a model may have been asked about a part of them only. */
  private readonly known: BaseMessage[];
  private readonly spoken: SpokenMessages;
  private readonly settle: RunConversation['settle'];
  private readonly resultMaxBytes: number;

  /**
   * @param emitFact may return a promise: the model then waits, because too much of what it said is not recorded yet
   * @param tools hears of the tools that the graph calls by itself
   */
  constructor(
    private readonly emitFact: (fact: GraphFact) => void | Promise<void>,
    private readonly isInsideTool: (namespace: Namespace) => boolean,
    private readonly tools: ToolCallbacks,
    { thread, resultMaxBytes, spoken, settle }: RunConversation,
  ) {
    super();
    this.spoken = spoken;
    this.settle = settle;
    this.resultMaxBytes = resultMaxBytes;
    this.history = new Set(thread.map(({ id }) => id));
    this.known = [...thread];
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
    const namespace = parseNamespace(metadata);
    this.nodes.set(callId, namespace);
    return this.emitFact({ kind: 'step-started', namespace });
  }

  override handleChainEnd(outputs: unknown, callId: string): void | Promise<void> {
    const namespace = this.nodes.get(callId);
    this.nodes.delete(callId);
    if (namespace === undefined) return;
    // A node may have written down by itself what a tool gave it.
    for (const result of resultsIn(outputs)) {
      if (!result.id || !this.history.has(result.id)) receiveResult(result, this.resultMaxBytes);
    }
    return this.settle(outputs, namespace);
  }

  override handleChainError(error: unknown, callId: string): void | Promise<void> {
    const namespace = this.nodes.get(callId);
    this.nodes.delete(callId);
    // It hands over to the graph around it, and has not failed.
    if (namespace === undefined || (error as Error | undefined)?.name === 'ParentCommand') return;
    this.spoken.forget(getStepId(namespace));
    this.tools.stepFailed(getStepId(namespace));
    return this.emitFact({ kind: 'step-failed', stepId: getStepId(namespace) });
  }

  override handleChatModelStart(
    _model: unknown,
    messages: BaseMessage[][],
    modelCallId: string,
    _parent?: string,
    extra: Record<string, unknown> = {},
    tags: string[] = [],
    metadata: Record<string, unknown> = {},
  ): void | Promise<void> {
    this.modelFailure = undefined;
    const namespace = parseNamespace(metadata);
    const isHidden =
      tags.includes('nostream') || tags.includes('langsmith:nostream') || this.isInsideTool(namespace);
    const silent = isHidden ? 'always' : isForData(extra) && 'until-returned';
    const { ls_model_name: model } = metadata;
    this.calls.set(modelCallId, {
      asked: messages[0] ?? [],
      namespace,
      silent,
      streamed: false,
      model: typeof model === 'string' ? model : 'unknown',
    });
    return this.emitFact({ kind: 'step-started', namespace });
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
    if (!call || call.silent || this.spoken.holds) return;
    const chunk =
      fields?.chunk && 'message' in fields.chunk ? (fields.chunk.message as AIMessageChunk) : undefined;
    const words = chunk ? readWords(chunk.content, chunk.additional_kwargs) : { text: token, reasoning: '' };
    if (words === NO_WORDS) return;
    call.streamed = true;
    return this.emitFact({ kind: 'token', modelCallId, namespace: call.namespace, words });
  }

  override async handleLLMEnd(output: LLMResult, modelCallId: string): Promise<void> {
    const call = this.calls.get(modelCallId);
    if (!call) return;
    this.calls.delete(modelCallId);
    const generation = output.generations[0]?.[0];
    const message =
      generation && 'message' in generation ? (generation.message as AIMessageChunk) : undefined;
    const finishReason = message && readReason(message, generation?.generationInfo);
    if (message) this.receive(message, call);
    const named = message?.response_metadata?.model_name ?? message?.response_metadata?.model;
    const model = typeof named === 'string' ? named : call.model;
    const words = message && readWords(message.content, message.additional_kwargs);
    const usage = readUsage(message?.usage_metadata, model, finishReason);
    if (words && words !== NO_WORDS) {
      const { namespace, silent } = call;
      // A model that does not stream says everything at its end.
      if (!call.streamed && !silent && !this.spoken.holds)
        await this.emitFact({ kind: 'token', modelCallId, namespace, words });
      const ids = [message?.id, `run-${modelCallId}`];
      if (silent !== 'until-returned')
        this.spoken.heard({ namespace, ids, words, silent: silent === 'always' });
    }
    await this.emitFact({
      kind: 'model-finished',
      modelCallId,
      namespace: call.namespace,
      usage,
    });
  }

  override handleLLMError(error: unknown, modelCallId: string): void | Promise<void> {
    this.modelFailure = error;
    this.calls.delete(modelCallId);
    return this.emitFact({ kind: 'model-failed', modelCallId });
  }

  private receive(answer: AIMessage, { asked }: ModelCall): void {
    receiveAnswer(answer, [...this.known, ...asked]);
    this.known.push(answer);
  }

  /** @throws what the model is told of a call whose arguments were cut off, in the place of making it */
  override handleToolStart(...call: Parameters<ToolCallbacks['handleToolStart']>): void {
    const [, input] = call;
    if (holdsUnreadable(input)) {
      // LangChain asks for it while it catches this error, and otherwise makes the call all the same.
      this.raiseError = true;
      queueMicrotask(() => (this.raiseError = false));
      throw new Error(UNREADABLE_WORDS);
    }
    this.tools.handleToolStart(...call);
  }

  override handleToolEvent(update: unknown, callId: string): void {
    this.tools.handleToolEvent(update, callId);
  }

  override handleToolEnd(output: unknown, callId: string): void {
    if (ToolMessage.isInstance(output)) receiveResult(output, this.resultMaxBytes);
    this.tools.handleToolEnd(output, callId);
  }

  override handleToolError(error: unknown, callId: string): void {
    this.tools.handleToolError(error, callId);
  }
}

/** Reports every call, even if its provider counts tokens only in part or not at all: the run's limits count calls as well. */
function readUsage(
  usage: Partial<UsageMetadata> | undefined,
  model: string,
  finishReason: FinishReason | undefined,
): ModelUsage {
  const { input_token_details: input, output_token_details: output } = usage ?? {};
  return {
    ...normalizeUsage({
      inputTokens: usage?.input_tokens,
      outputTokens: usage?.output_tokens,
      totalTokens: usage?.total_tokens,
      cachedInputTokens: input?.cache_read,
      cacheWriteInputTokens: input?.cache_creation,
      reasoningTokens: output?.reasoning,
    }),
    model,
    ...(finishReason && { finishReason }),
  };
}

function readReason(
  message: AIMessage,
  beside: Record<string, unknown> | undefined,
): FinishReason | undefined {
  const reason = readFinishReason({ ...beside, ...message.additional_kwargs, ...message.response_metadata });
  const calls = (message.tool_calls?.length ?? 0) + (message.invalid_tool_calls?.length ?? 0);
  return reason ?? (calls === 0 && !readWords(message.content).text ? 'empty' : undefined);
}

/** The model was told to answer in a format that a program reads. */
function isForData({ options, invocation_params: params }: Readonly<Record<string, unknown>>): boolean {
  const asked = { ...(params as object), ...(options as object) } as Readonly<Record<string, unknown>>;
  const { ls_structured_output_format: declared, response_format: format, format: ofOllama, text } = asked;
  const ofResponses = (text as { readonly format?: unknown } | undefined)?.format;
  return Boolean(declared ?? ofOllama) || [format, ofResponses].some(isJson);
}

/** The results in what a node returned. */
function resultsIn(outputs: unknown): ToolMessage[] {
  return messagesIn(outputs).filter((message) => ToolMessage.isInstance(message));
}

/** The messages in what a node returned: a state update, a Command with one, or messages by themselves. */
function messagesIn(outputs: unknown): BaseMessage[] {
  if (Array.isArray(outputs)) return outputs.flatMap((output: unknown) => messagesIn(output));
  if (BaseMessage.isInstance(outputs)) return [outputs];
  if (typeof outputs !== 'object' || outputs === null) return [];
  if ('update' in outputs) return messagesIn(outputs.update);
  return 'messages' in outputs ? messagesIn(outputs.messages) : [];
}

function isJson(format: unknown): boolean {
  return String((format as { readonly type?: unknown } | undefined)?.type).startsWith('json');
}
