import { BaseCallbackHandler, type HandleLLMNewTokenCallbackFields } from '@langchain/core/callbacks/base';
import { ToolMessage, type AIMessage, type AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import type { LLMResult } from '@langchain/core/outputs';
import { START } from '@langchain/langgraph';
import type { ModelCallTelemetry } from '../../telemetry/model-call.telemetry.js';
import type { RunTelemetry } from '../../telemetry/run-telemetry.js';
import { findFailedStep, parseNamespace } from './active-run.js';
import { listResults, receiveAnswer, receiveResult } from './arrivals.js';
import type { KeepWords } from './keep-words.js';
import { isUnsaid, NO_WORDS, readContent, readWords } from './message-shape.js';
import { getStepId } from './named-steps.js';
import type { EnclosingCall, GraphFact, Namespace, TextChunk } from './graph-fact.js';
import { toModelAnswer, toModelCallStart, toModelErrorType } from './model-call-facts.js';
import {
  measure,
  readAskedModel,
  readModelName,
  readReason,
  readUsage,
  type TimedCall,
} from './model-usage.js';
import type { NodeOutput } from './node-output.js';
import type { SpokenMessages } from './spoken-messages.js';
import { readWork } from './subagents.js';
import type { ToolCallbacks } from './tool.callbacks.js';
import { holdsUnreadable, UNREADABLE_WORDS } from './unreadable-calls.js';

interface ModelCall extends TimedCall {
  /** The conversation that it was asked about. */
  readonly asked: readonly BaseMessage[];
  readonly namespace: Namespace;
  readonly model: string;
  /**
   * Its words are not for people: a tag says so, or it was made inside a tool (`always`). Or they are data for the graph, which may make a message of
   * them all the same (`until-returned`).
   */
  readonly silent: false | 'always' | 'until-returned';
  /** It was made inside a tool: it is no message of the run's graph. */
  readonly isInsideTool: boolean;
  /** It has said something while it was at work. */
  streamed: boolean;
  readonly telemetry: ModelCallTelemetry | undefined;
}

/** State that the callbacks of a run share with the rest of it. */
export interface RunConversation {
  /** The messages that were in the thread before. */
  readonly thread: readonly BaseMessage[];
  /** Bytes of text of a tool's result that go into the conversation; the rest is cut off, with a note. */
  readonly resultMaxBytes: number;
  /** Learns of each message that a model has ended. */
  readonly spoken: SpokenMessages;
  readonly keepWords: KeepWords;
  readonly telemetry: RunTelemetry | undefined;
  /** Gets what a node returned. */
  readonly nodes: Pick<NodeOutput, 'settle'>;
}

/**
 * Hears every token where the model says it. LangGraph's own `messages` stream gets them through a queue that the whole
 * process shares, and loses those that come out of it too late; an awaited handler loses none, and costs half. One handler for
 * everything, tools included: each further one would be called and awaited at every token, whether it wants to hear it or not.
 */
export class GraphCallbacks extends BaseCallbackHandler {
  // By this name LangGraph's `pushMessage` finds it: see `emitFinalMessage`.
  override readonly name = 'StreamProtocolMessagesHandler';
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
  private readonly settle: NodeOutput['settle'];
  private readonly resultMaxBytes: number;
  private readonly keepWords: KeepWords;
  private readonly telemetry: RunTelemetry | undefined;

  /**
   * @param emitFact may return a promise: the model then waits, because too much of what it said is not recorded yet
   * @param findCalls lists the tool calls around a place
   * @param tools hears of the tools that the graph calls by itself
   */
  constructor(
    private readonly emitFact: (fact: GraphFact) => void | Promise<void>,
    private readonly findCalls: (namespace: Namespace) => readonly EnclosingCall[],
    private readonly tools: ToolCallbacks,
    { thread, resultMaxBytes, spoken, keepWords, nodes, telemetry }: RunConversation,
  ) {
    super();
    this.spoken = spoken;
    this.keepWords = keepWords;
    this.settle = nodes.settle;
    this.telemetry = telemetry;
    this.resultMaxBytes = resultMaxBytes;
    this.history = new Set(thread.map(({ id }) => id));
    this.known = [...thread];
  }

  // The parameters in the order in which they come, which is not the one that the base class declares.
  override handleChainStart(
    _chain: unknown,
    _inputs: unknown,
    callId: string,
    parent?: string,
    _tags?: string[],
    metadata: Record<string, unknown> = {},
    _type?: string,
    name?: string,
  ): void | Promise<void> {
    const call = this.tools.enter(callId, parent);
    // The node itself, and not a chain inside it; nor LangGraph's own, which only hands the input on.
    if (name === undefined || name !== metadata.langgraph_node || name === START) return;
    const namespace = parseNamespace(metadata);
    this.nodes.set(callId, namespace);
    const failed = findFailedStep(metadata);
    if (failed !== undefined) void this.emitFact({ kind: 'taken-back', stepId: failed, kept: [] });
    return this.emitFact({ kind: 'step-started', namespace, work: readWork(metadata, call) });
  }

  override handleChainEnd(outputs: unknown, callId: string): void | Promise<void> {
    const namespace = this.nodes.get(callId);
    this.nodes.delete(callId);
    this.tools.leave(callId);
    if (namespace === undefined) return;
    // A node may have written down by itself what a tool gave it.
    for (const result of listResults(outputs)) {
      if (!result.id || !this.history.has(result.id)) receiveResult(result, this.resultMaxBytes);
    }
    return this.settle(outputs, namespace);
  }

  /** Takes a message that a node says before it returns. */
  emitFinalMessage([, metadata]: [unknown, Readonly<Record<string, unknown>>], message: BaseMessage): void {
    void this.settle({ messages: [message] }, parseNamespace(metadata));
  }

  override handleChainError(error: unknown, callId: string): void | Promise<void> {
    const namespace = this.nodes.get(callId);
    this.nodes.delete(callId);
    this.tools.leave(callId);
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
    const around = this.findCalls(namespace);
    const isHidden =
      tags.includes('nostream') ||
      tags.includes('langsmith:nostream') ||
      !this.tools.areShown(around, namespace);
    const silent = isHidden ? 'always' : isForData(extra) && 'until-returned';
    const [asked = []] = messages;
    const model = readAskedModel(metadata);
    this.calls.set(modelCallId, {
      asked,
      namespace,
      silent,
      isInsideTool: around.length > 0,
      streamed: false,
      startedAt: Date.now(),
      model,
      telemetry: this.telemetry?.beginModelCall(toModelCallStart(metadata, asked, model)),
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
    if (!call) return;
    call.firstTokenAt ??= Date.now();
    if (call.silent || this.spoken.holds) return;
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
    const model = readModelName(message) ?? call.model;
    const words = message && (await this.readAnswer(message, call));
    const usage = { ...readUsage(message?.usage_metadata, model, finishReason), ...measure(call) };
    call.telemetry?.end(toModelAnswer(message, usage));
    if (words && !isUnsaid(words)) {
      const { namespace, silent, isInsideTool } = call;
      // A model that does not stream gives everything at its end; any other gives its files and sources here.
      const unsaid = call.streamed ? { ...words, ...NO_WORDS } : words;
      if (!silent && !this.spoken.holds && !isUnsaid(unsaid))
        await this.emitFact({ kind: 'token', modelCallId, namespace, words: unsaid });
      const ids = [message?.id, `run-${modelCallId}`];
      if (silent !== 'until-returned')
        this.spoken.heard({ namespace, ids, words, silent: silent === 'always' || isInsideTool });
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
    const call = this.calls.get(modelCallId);
    if (!call) return;
    call.telemetry?.fail(toModelErrorType(error));
    this.calls.delete(modelCallId);
    const { namespace, model } = call;
    const usage = { ...readUsage(undefined, model), ...measure(call), failed: true } as const;
    return this.emitFact({ kind: 'model-failed', modelCallId, namespace, usage });
  }

  /** Reads the message of a model. Its files are stored if people may see them. */
  private readAnswer(message: AIMessage, { silent }: ModelCall): TextChunk | Promise<TextChunk> {
    const { content, additional_kwargs: beside, response_metadata: metadata } = message;
    return silent ? readWords(content, beside) : this.keepWords(readContent(content, beside, metadata));
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

  override handleToolEnd(output: unknown, callId: string): void | Promise<void> {
    if (ToolMessage.isInstance(output)) receiveResult(output, this.resultMaxBytes);
    return this.tools.handleToolEnd(output, callId);
  }

  override handleToolError(error: unknown, callId: string): void {
    this.tools.handleToolError(error, callId);
  }
}

/** The model was told to answer in a format that a program reads. */
function isForData({ options, invocation_params: params }: Readonly<Record<string, unknown>>): boolean {
  const asked = { ...(params as object), ...(options as object) } as Readonly<Record<string, unknown>>;
  const { ls_structured_output_format: declared, response_format: format, format: ofOllama, text } = asked;
  const ofResponses = (text as { readonly format?: unknown } | undefined)?.format;
  return Boolean(declared ?? ofOllama) || [format, ofResponses].some(isJson);
}

function isJson(format: unknown): boolean {
  return String((format as { readonly type?: unknown } | undefined)?.type).startsWith('json');
}
