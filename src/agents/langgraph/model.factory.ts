import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AppError } from '../../errors.js';
import { nameOption } from '../../option-names.js';
import { fetchWithTrace } from '../../telemetry/carry-trace.js';
import { failOnSilentCut, failWhenSilent } from './model-completeness.js';
import { fetchToTheEnd, guardOpenAi } from './openai.guard.js';
import { imagesAsUrls } from './result-images.js';

export interface ModelOptions {
  /** Address of the provider; any server that speaks its API will do. Default: the provider's own address. */
  readonly baseUrl?: string | undefined;
  /** The provider's key. Required for `openai:` and `anthropic:`; with a `baseUrl` it may be absent, for servers that ask for none. */
  readonly apiKey?: string | undefined;
  /** 0 to 2. Default: the provider's. Some models accept no other. */
  readonly temperature?: number;
  /** Number of times that a call which failed before its first token is tried again. Default 2. */
  readonly maxRetries?: number;
  /** Milliseconds a provider may take to begin its answer; the length of the answer is not bounded by it. */
  readonly timeoutMs: number;
  /** Milliseconds of silence after which an answer is given up that has begun, if only by its headers. Default 5 minutes. */
  readonly silenceMs?: number;
  /** Milliseconds per word of the demo model. Default 28, a pace one can read. */
  readonly demoPaceMs?: number;
}

export const DEFAULT_SILENCE_MS = 5 * 60_000;

const FORMS = 'demo, openai:<model>, anthropic:<model> or ollama:<model>, for example openai:gpt-4.1-mini';

/**
 * The chat model that `spec` names. Provider packages are loaded on first use, so that users do not pay for
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
      const { DemoModel } = await import('../../demo/demo.model.js');
      return new DemoModel({ paceMs: options.demoPaceMs });
    }
    case 'openai':
      return createOpenAi(model, options);
    case 'anthropic':
      return failOnSilentCut(await createAnthropic(model, options), options.silenceMs ?? DEFAULT_SILENCE_MS);
    case 'ollama':
      return createOllama(model, options);
  }
}

/**
 * Reads the MODEL setting: the model that answers, and those that answer when the one before them fails, separated by commas.
 *
 * @throws AppError `CONFIG_INVALID` that lists the forms
 */
export function parseModels(setting: string): string[] {
  const names = setting.split(',').map((name) => name.trim());
  for (const name of names) parseModel(name);
  return names;
}

type Provider = 'demo' | 'openai' | 'anthropic' | 'ollama';

/**
 * Checks the form of a model's name without loading anything, so that a fault shows at boot with all the others.
 *
 * @throws AppError `CONFIG_INVALID` that lists the forms
 */
export function parseModel(spec: string): { readonly provider: Provider; readonly model: string } {
  const [, provider, model] = /^(demo|(?:openai|anthropic|ollama)(?=:))(?::(\S+))?$/.exec(spec.trim()) ?? [];
  if (!provider || (provider === 'demo') !== (model === undefined)) {
    throw new AppError('CONFIG_INVALID', `'${spec}' is not a model. Write ${FORMS}.`);
  }
  return { provider: provider as Provider, model: model ?? '' };
}

async function createOpenAi(model: string, options: ModelOptions): Promise<BaseChatModel> {
  const apiKey = keyFor('openai', options);
  const openai = await loadModelPackage('@langchain/openai', () => import('@langchain/openai'));
  const fields = {
    model,
    apiKey,
    temperature: options.temperature,
    maxRetries: options.maxRetries ?? 2,
    timeout: options.timeoutMs,
    streamUsage: true,
    // Named even when absent, or the SDK would take OPENAI_BASE_URL from the environment.
    configuration: {
      baseURL: options.baseUrl ?? 'https://api.openai.com/v1',
      fetch: fetchToTheEnd(),
      // It would write the provider's words to the console.
      logLevel: 'off' as const,
    },
  };
  const { silenceMs = DEFAULT_SILENCE_MS } = options;
  return new openai.ChatOpenAI({ ...fields, ...guardOpenAi(openai, fields, { silenceMs }) });
}

async function createAnthropic(model: string, options: ModelOptions): Promise<BaseChatModel> {
  const apiKey = keyFor('anthropic', options);
  const { ChatAnthropic } = await loadModelPackage(
    '@langchain/anthropic',
    () => import('@langchain/anthropic'),
  );
  return new ChatAnthropic({
    model,
    apiKey,
    temperature: options.temperature,
    maxRetries: options.maxRetries ?? 2,
    streamUsage: true,
    anthropicApiUrl: options.baseUrl ?? 'https://api.anthropic.com',
    clientOptions: { timeout: options.timeoutMs, fetch: fetchWithTrace() },
  });
}

async function createOllama(model: string, options: ModelOptions): Promise<BaseChatModel> {
  const { ChatOllama } = await loadModelPackage('@langchain/ollama', () => import('@langchain/ollama'));
  class SeeingOllama extends ChatOllama {
    override async *_streamResponseChunks(
      ...[messages, ...others]: Parameters<InstanceType<typeof ChatOllama>['_streamResponseChunks']>
    ): ReturnType<InstanceType<typeof ChatOllama>['_streamResponseChunks']> {
      yield* super._streamResponseChunks(imagesAsUrls(messages), ...others);
    }
  }
  return new SeeingOllama({
    model,
    baseUrl: options.baseUrl ?? 'http://127.0.0.1:11434',
    temperature: options.temperature,
    maxRetries: options.maxRetries ?? 2,
    fetch: fetchWithin(options.timeoutMs, options.silenceMs ?? DEFAULT_SILENCE_MS),
    ...(options.apiKey && { headers: { Authorization: `Bearer ${options.apiKey}` } }),
  });
}

/** Local OpenAI-compatible servers often want no key, but the SDKs insist on one. */
function keyFor(provider: string, options: ModelOptions): string {
  if (options.apiKey) return options.apiKey;
  if (options.baseUrl) return 'none';
  throw new AppError(
    'CONFIG_INVALID',
    `${provider}:… needs a key. Set ${nameOption('apiKey of createModel')}, or take the offline demo model: demo.`,
  );
}

/** @throws AppError CONFIG_INVALID that names the package */
export async function loadModelPackage<Module>(
  name: string,
  importIt: () => Promise<Module>,
): Promise<Module> {
  try {
    return await importIt();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    throw new AppError('CONFIG_INVALID', `This model needs the package ${name}. Install it: npm i ${name}`, {
      cause,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}

/** The Ollama client has no timeout of its own: one for the headers, and then one for each silence. */
function fetchWithin(timeoutMs: number, silenceMs: number): typeof fetch {
  const send = fetchWithTrace();
  return async (input, init) => {
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new DOMException('The model did not answer in time.', 'TimeoutError')),
      timeoutMs,
    );
    try {
      const signal = init?.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
      const response = await send(input, { ...init, signal });
      if (!response.body) return response;
      return new Response(response.body.pipeThrough(failWhenSilent(silenceMs)), response);
    } finally {
      clearTimeout(timer);
    }
  };
}
