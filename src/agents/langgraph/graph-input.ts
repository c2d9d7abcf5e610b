import {
  HumanMessage,
  coerceMessageLikeToMessage,
  type BaseMessage,
  type BaseMessageLike,
} from '@langchain/core/messages';
import { z } from 'zod';
import { AppError } from '../../errors.js';
import type { GivenInput } from '../agent.js';
import type { NewFile } from '../../events/message-part.js';
import { readParts } from './message-parts.js';
import { isFileBlock } from './file-blocks.js';
import type { CompiledGraph } from './graph-source.js';

/** A graph's own rules for what it takes, which LangGraph keeps for itself. */
interface GraphRules {
  readonly builder?: { readonly _inputDefinition?: unknown; readonly _configRuntimeSchema?: unknown };
  _validateInput?(input: unknown): Promise<unknown>;
  _validateContext?(context: unknown): Promise<unknown>;
}

/** Names in `configurable` that say where a run is and whose it is. A request never sets them. */
const RESERVED = /^(thread_id|run_id|assistant_id|graph_id|checkpoint.*|langgraph_.*|__.*)$/;

/** A name that many graphs take for who asks. A request sets it only if the agent's list has it by name: nothing proves its value. */
const UNPROVEN = 'user_id';

/** @throws AppError REQUEST_INVALID for what is not on the list */
export function checkConfigurable(
  { configurable = {} }: GivenInput,
  {
    agent,
    allowed = [],
  }: { readonly agent: string; readonly allowed?: boolean | readonly string[] | undefined },
): void {
  const list = typeof allowed === 'boolean' ? (allowed ? ['*'] : []) : allowed;
  const takes = (name: string) =>
    !RESERVED.test(name) && (list.includes(name) || (list.includes('*') && name !== UNPROVEN));
  const refused = Object.keys(configurable).find((name) => !takes(name));
  if (refused === undefined) return;
  throw new AppError(
    'REQUEST_INVALID',
    `configurable.${refused}: The agent '${agent}' does not take it from a request.`,
  );
}

/** @throws AppError REQUEST_INVALID with what the graph's schema says */
export async function checkInput(
  graph: CompiledGraph,
  input: Readonly<Record<string, unknown>>,
  given: GivenInput,
): Promise<void> {
  const isOwnInput = given.input !== undefined;
  const rules = graph as unknown as GraphRules;
  const names = inputNames(graph);
  if (!isOwnInput && !given.dropsUnknownKeys && names && !names.includes('messages')) {
    throw new AppError(
      'REQUEST_INVALID',
      `input: This agent takes no message. Send its input: ${names.join(', ')}.`,
    );
  }
  const isStrict = isOwnInput && !given.dropsUnknownKeys;
  const unknown = isStrict && names ? Object.keys(input).find((name) => !names.includes(name)) : undefined;
  if (names && unknown !== undefined) {
    throw new AppError(
      'REQUEST_INVALID',
      `input.${unknown}: This agent does not take it. It takes: ${names.join(', ')}.`,
    );
  }
  await orInvalid('input', async () => rules._validateInput?.(input));
}

/**
 * Returns the context of a run: what was given, and who asks. A schema that takes nothing else gets only what was given.
 *
 * @throws AppError REQUEST_INVALID with what the graph's schema says
 */
export async function makeContext(
  graph: CompiledGraph,
  given: Readonly<Record<string, unknown>> = {},
  run: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>>> {
  const rules = graph as unknown as GraphRules;
  const whole = { ...given, ...run };
  if (rules.builder?._configRuntimeSchema === undefined) return whole;
  try {
    await rules._validateContext?.(whole);
    return whole;
  } catch {
    await orInvalid('context', async () => rules._validateContext?.(given));
    return given;
  }
}

/** Returns the names of the graph's inputs; undefined if they cannot be known, as for a functional graph. */
export function inputNames(graph: CompiledGraph): string[] | undefined {
  const definition = (graph as unknown as GraphRules).builder?._inputDefinition;
  return typeof definition === 'object' && definition !== null ? Object.keys(definition) : undefined;
}

/** The messages of an input: the one that a person says last, and those that come before it. */
export function readInputMessages({ input = {}, isWithoutMessage = false }: GivenInput): {
  readonly before: readonly BaseMessage[];
  readonly content: HumanMessage['content'] | undefined;
} {
  const { messages } = input;
  if (messages === undefined) return { before: [], content: undefined };
  const all = (Array.isArray(messages) ? messages : [messages]).map((like: unknown) =>
    coerceMessageLikeToMessage(like as BaseMessageLike),
  );
  if (isWithoutMessage) return { before: all, content: undefined };
  return { before: all.slice(0, -1), content: all.at(-1)?.content };
}

/**
 * Returns the files in the messages of an input, and of a change of the state with what it sends to nodes. Messages that cannot be read have none: the graph's
 * own check refuses them.
 */
export function listInputFiles({ input, stateChange }: GivenInput): readonly NewFile[] {
  const { updates = [], goto = [] } = stateChange ?? {};
  const sent = goto.flatMap((next) => (typeof next === 'string' ? [] : [next.input]));
  return [input, ...updates.map(({ values }) => values), ...sent].flatMap(listFiles);
}

function listFiles(values: unknown): readonly NewFile[] {
  if (typeof values !== 'object' || values === null) return [];
  const { messages } = values as { readonly messages?: unknown };
  const all: readonly unknown[] = Array.isArray(messages) ? messages : [messages];
  return all.flatMap((like) => {
    const [, content] = Array.isArray(like) ? (like as unknown[]) : [];
    const fields = typeof like === 'object' && like !== null ? (like as Record<string, unknown>) : {};
    // A message that was written by LangChain has its fields in `kwargs`, and in `data` by older versions.
    const inner = [fields, fields['kwargs'], fields['data']].map(
      (each) => (each as typeof fields | undefined)?.['content'],
    );
    return [content, ...inner].flatMap((each) =>
      readParts(withoutStored(each)).flatMap((part) => (part.kind === 'file' ? [part] : [])),
    );
  });
}

/** Our own blocks are no new files: the check of the whole input refuses them, and says why. */
function withoutStored(content: unknown): unknown {
  return Array.isArray(content) ? content.filter((block) => !isFileBlock(block)) : content;
}

async function orInvalid(what: string, check: () => Promise<unknown>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const { issues } = error as { readonly issues?: unknown };
    const complaint = Array.isArray(issues)
      ? z.prettifyError(error as z.ZodError)
      : error instanceof Error
        ? error.message
        : String(error);
    throw new AppError('REQUEST_INVALID', `${what}: ${complaint}`, { cause: error });
  }
}
