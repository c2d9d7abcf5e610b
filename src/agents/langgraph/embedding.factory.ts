import { AppError } from '../../errors.js';
import { nameOption } from '../../option-names.js';
import type { Embedding, StoreIndex } from '../agent-store.js';
import { importReference } from './graph.loader.js';
import { loadModelPackage } from './model.factory.js';

export interface EmbeddingOptions {
  /** Numbers in each vector. */
  readonly dims: number;
  readonly apiKey?: string | undefined;
  /** Default: OpenAI's own address. */
  readonly baseUrl?: string;
}

/**
 * Makes what embeds texts for a store.
 *
 * @param reference `openai:<model>`, or as for `loadGraph` the path of a module with an `Embeddings` of LangChain or a function
 *   that returns the vector of each text
 * @throws AppError CONFIG_INVALID
 */
export async function createEmbedding(
  reference: string,
  options: EmbeddingOptions,
): Promise<StoreIndex['embed']> {
  const [, model] = /^openai:(\S+)$/.exec(reference) ?? [];
  if (model !== undefined) return createOpenAiEmbedding(model, options);
  const exported = await importReference(reference);
  if (typeof exported === 'function') return exported as (texts: string[]) => Promise<number[][]>;
  if (isEmbedding(exported)) return exported;
  throw new AppError(
    'CONFIG_INVALID',
    `'${reference}' embeds nothing. Export a function that returns the vector of each text, or an Embeddings of LangChain.`,
  );
}

async function createOpenAiEmbedding(
  model: string,
  { dims, apiKey, baseUrl = 'https://api.openai.com/v1' }: EmbeddingOptions,
): Promise<Embedding> {
  if (!apiKey) {
    throw new AppError(
      'CONFIG_INVALID',
      `The store embeds with openai:${model}, which needs a key. Set ${nameOption('apiKey of createEmbedding')}.`,
    );
  }
  const { OpenAIEmbeddings } = await loadModelPackage('@langchain/openai', () => import('@langchain/openai'));
  return new OpenAIEmbeddings({
    model,
    apiKey,
    // Older models have one length, and refuse to be asked for it.
    ...(model.startsWith('text-embedding-3') && { dimensions: dims }),
    // Servers that are compatible answer with numbers whatever they are asked for, and the client then decodes them as base64.
    encodingFormat: 'float',
    configuration: { baseURL: baseUrl, logLevel: 'off' },
  });
}

function isEmbedding(value: unknown): value is Embedding {
  const { embedDocuments, embedQuery } = (value ?? {}) as { embedDocuments?: unknown; embedQuery?: unknown };
  return typeof embedDocuments === 'function' && typeof embedQuery === 'function';
}
