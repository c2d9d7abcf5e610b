import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AppError } from '../../errors.js';
import { failOnSilentCut } from './model.completeness.js';

export interface ModelOptions {
  /** Where the provider listens; any server that speaks the provider's API will do. Default: the provider's own address. */
  readonly baseUrl?: string;
  /** The provider's key. Required for `openai:` and `anthropic:`; with a `baseUrl` it may be absent, for servers that ask for none. */
  readonly apiKey?: string;
  /** 0 to 2. Default: the provider's. Some models accept no other. */
  readonly temperature?: number;
  /** How often a call that failed before its first token is tried again. Default 2. */
  readonly maxRetries?: number;
  /** Milliseconds a provider may take to begin its answer; the length of the answer is not bounded by it. */
  readonly timeoutMs: number;
  /** Milliseconds per word of the demo model. Default 28, a pace one can read. */
  readonly demoPaceMs?: number;
}

const FORMS = 'demo, openai:<model>, anthropic:<model> or ollama:<model>, for example openai:gpt-4.1-mini';

/**
 * The chat model that `spec` (the MODEL setting) names. Provider packages are loaded on first use, so that nobody pays for
 * those that are not used. Settings come by `options`: `app/config.ts` alone reads the environment, and a key that is there
 * by accident is not used behind the operator's back.
 *
 * @param spec `demo`, `openai:<model>`, `anthropic:<model>` or `ollama:<model>`; the model may contain colons
 * @throws AppError `CONFIG_INVALID` when the spec is malformed, a key is missing or a provider's package is not installed
 */
export async function createModel(spec: string, options: ModelOptions): Promise<BaseChatModel> {
  const { provider, model } = parseModel(spec);
  switch (provider) {
    case 'demo': {
      const { DemoModel } = await import('../demo/demo.model.js');
      return new DemoModel({ paceMs: options.demoPaceMs });
    }
    case 'openai':
      return failOnSilentCut(await createOpenAi(model, options));
    case 'anthropic':
      return failOnSilentCut(await createAnthropic(model, options));
    case 'ollama':
      return createOllama(model, options);
  }
}

type Provider = 'demo' | 'openai' | 'anthropic' | 'ollama';

/**
 * Checks the form of the MODEL setting without loading anything, so that a fault shows at boot with all the others.
 *
 * @throws AppError `CONFIG_INVALID` that lists the forms
 */
export function parseModel(spec: string): { readonly provider: Provider; readonly model: string } {
  const [, provider, model] = /^(demo|(?:openai|anthropic|ollama)(?=:))(?::(\S+))?$/.exec(spec.trim()) ?? [];
  if (!provider || (provider === 'demo') !== (model === undefined)) {
    throw new AppError('CONFIG_INVALID', `MODEL '${spec}' is not a model. Write ${FORMS}.`);
  }
  return { provider: provider as Provider, model: model ?? '' };
}

async function createOpenAi(model: string, options: ModelOptions): Promise<BaseChatModel> {
  const apiKey = keyFor('openai', 'OPENAI_API_KEY', options);
  const { ChatOpenAI } = await load('@langchain/openai', () => import('@langchain/openai'));
  return new ChatOpenAI({
    model,
    apiKey,
    temperature: options.temperature,
    maxRetries: options.maxRetries ?? 2,
    timeout: options.timeoutMs,
    streamUsage: true,
    // Named even when absent, or the SDK would take OPENAI_BASE_URL from the environment.
    configuration: { baseURL: options.baseUrl ?? 'https://api.openai.com/v1' },
  });
}

async function createAnthropic(model: string, options: ModelOptions): Promise<BaseChatModel> {
  const apiKey = keyFor('anthropic', 'ANTHROPIC_API_KEY', options);
  const { ChatAnthropic } = await load('@langchain/anthropic', () => import('@langchain/anthropic'));
  return new ChatAnthropic({
    model,
    apiKey,
    temperature: options.temperature,
    maxRetries: options.maxRetries ?? 2,
    streamUsage: true,
    anthropicApiUrl: options.baseUrl ?? 'https://api.anthropic.com',
    clientOptions: { timeout: options.timeoutMs },
  });
}

async function createOllama(model: string, options: ModelOptions): Promise<BaseChatModel> {
  const { ChatOllama } = await load('@langchain/ollama', () => import('@langchain/ollama'));
  return new ChatOllama({
    model,
    baseUrl: options.baseUrl ?? 'http://127.0.0.1:11434',
    temperature: options.temperature,
    maxRetries: options.maxRetries ?? 2,
    fetch: fetchWithin(options.timeoutMs),
    ...(options.apiKey && { headers: { Authorization: `Bearer ${options.apiKey}` } }),
  });
}

/** Local OpenAI-compatible servers often want no key, but the SDKs insist on one. */
function keyFor(provider: string, variable: string, options: ModelOptions): string {
  if (options.apiKey) return options.apiKey;
  if (options.baseUrl) return 'none';
  throw new AppError(
    'CONFIG_INVALID',
    `MODEL=${provider}:… needs a key. Set ${variable}, or set MODEL=demo for the offline demo model.`,
  );
}

async function load<Module>(name: string, importIt: () => Promise<Module>): Promise<Module> {
  try {
    return await importIt();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new AppError('CONFIG_INVALID', `This MODEL needs the package ${name}. Install it: npm i ${name}`, {
      cause,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}

/** The Ollama client has no timeout of its own. Until the headers are there, then as long as the answer takes. */
function fetchWithin(timeoutMs: number): typeof fetch {
  return async (input, init) => {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new DOMException('The model did not answer in time.', 'TimeoutError')),
      timeoutMs,
    );
    try {
      const signal = init?.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
      return await fetch(input, { ...init, signal });
    } finally {
      clearTimeout(timer);
    }
  };
}
