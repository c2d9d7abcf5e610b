import type { Usage, UsageReport } from '../events/run-event.js';
import { normalizeUsage, withoutUsage } from '../events/usage.js';

/** Prices of a model, each for a million tokens, in the currency of the table: a number, or a decimal such as `'0.075'`. */
export interface ModelPrices {
  readonly input: number | string;
  readonly output: number | string;
  /** Of the input: read from the provider's cache. Default: as other input. */
  readonly cachedInput?: number | string;
  /** Of the input: written to the provider's cache. Default: as other input. */
  readonly cacheWriteInput?: number | string;
  /** Of the input: images. Default: as other input. */
  readonly imageInput?: number | string;
  /** Of the output: thoughts. Default: as other output. */
  readonly reasoning?: number | string;
  /** Of the output: images. Default: as other output. */
  readonly imageOutput?: number | string;
}

/** Prices of models. */
export interface PriceTable {
  /** A name for people. Default `USD`. */
  readonly currency?: string;
  /** By the name that a model's `usage` events have. A name that ends in `*` is for all names that begin so; the longest that fits counts. */
  readonly models: Readonly<Record<string, ModelPrices>>;
}

export const DEFAULT_CURRENCY = 'USD';

const PARTS = [
  'input',
  'output',
  'cachedInput',
  'cacheWriteInput',
  'imageInput',
  'reasoning',
  'imageOutput',
] as const satisfies readonly (keyof ModelPrices)[];

/** Decimals of a price. With six, the price of one token is a whole number of millionths of a millionth. */
const DECIMALS = 6;

const MOST = 1_000_000;

/** Prices of one token, in millionths of a millionth of the currency: whole, so that products and sums are exact. */
type TokenPrices = Readonly<Record<(typeof PARTS)[number], bigint>>;

/** Returns everything that is wrong with a table, a sentence each; empty if it is usable. */
export function validatePrices(table: unknown, name: string): string[] {
  const { currency, models } = (table ?? {}) as { readonly currency?: unknown; readonly models?: unknown };
  const errors: string[] = [];
  if (currency !== undefined && (typeof currency !== 'string' || currency === ''))
    errors.push(`${name}.currency must be a name such as USD.`);
  if (typeof models !== 'object' || models === null || Array.isArray(models))
    return [
      ...errors,
      `${name}.models must name the models: { "gpt-4.1-mini": { "input": 0.4, "output": 1.6 } }.`,
    ];
  for (const [model, prices] of Object.entries(models as Record<string, unknown>)) {
    const given = (typeof prices === 'object' && prices !== null ? prices : {}) as Record<string, unknown>;
    for (const part of ['input', 'output'])
      if (given[part] === undefined) errors.push(`${name}.models["${model}"] has no price for ${part}.`);
    for (const [part, price] of Object.entries(given)) {
      if (!(PARTS as readonly string[]).includes(part))
        errors.push(`${name}.models["${model}"].${part} is no price. Use ${PARTS.join(', ')}.`);
      else if (toExact(price) === undefined)
        errors.push(
          `${name}.models["${model}"].${part} must be a number from 0 to ${MOST} with at most ${DECIMALS} decimals.`,
        );
    }
  }
  return errors;
}

/** Puts a price on each model call. */
export class Prices {
  readonly currency: string;
  private readonly exact = new Map<string, TokenPrices>();
  /** Longest first. */
  private readonly prefixes: readonly (readonly [string, TokenPrices])[];

  constructor({ currency = DEFAULT_CURRENCY, models }: PriceTable = { models: {} }) {
    this.currency = currency;
    const prefixes: [string, TokenPrices][] = [];
    for (const [name, prices] of Object.entries(models)) {
      if (name.endsWith('*')) prefixes.push([name.slice(0, -1), toTokenPrices(prices)]);
      else this.exact.set(name, toTokenPrices(prices));
    }
    this.prefixes = prefixes.sort(([one], [other]) => other.length - one.length);
  }

  /**
   * Returns the report with counts that are sound, and with its cost. Any agent may report usage, and it goes into the log, the record and every
   * protocol. An agent that knows what a call has cost says so itself.
   */
  charge(report: UsageReport): UsageReport {
    const { model, costMicros } = report;
    const usage = normalizeUsage(report);
    const known = Number.isSafeInteger(costMicros) && Number(costMicros) >= 0 ? costMicros : undefined;
    const prices = known === undefined ? this.find(model) : undefined;
    const cost = known ?? (prices && toCostMicros(usage, prices));
    const isUnpriced = cost === undefined && this.hasPrices && usage.totalTokens > 0;
    return {
      ...withoutUsage(report),
      ...usage,
      ...(cost !== undefined && { costMicros: cost }),
      ...(isUnpriced && { unpricedTokens: usage.totalTokens }),
    };
  }

  private get hasPrices(): boolean {
    return this.exact.size + this.prefixes.length > 0;
  }

  private find(model: string): TokenPrices | undefined {
    return this.exact.get(model) ?? this.prefixes.find(([prefix]) => model.startsWith(prefix))?.[1];
  }
}

/** Rounds once a call, to the nearest millionth: so the sum of a run is exactly the sum of its events. */
function toCostMicros(usage: Usage, prices: TokenPrices): number {
  const count = (tokens = 0) => BigInt(tokens);
  const cached = count(usage.cachedInputTokens);
  const written = count(usage.cacheWriteInputTokens);
  const seen = count(usage.imageInputTokens);
  const thought = count(usage.reasoningTokens);
  const drawn = count(usage.imageOutputTokens);
  const cost =
    rest(count(usage.inputTokens), cached + written + seen) * prices.input +
    cached * prices.cachedInput +
    written * prices.cacheWriteInput +
    seen * prices.imageInput +
    rest(count(usage.outputTokens), thought + drawn) * prices.output +
    thought * prices.reasoning +
    drawn * prices.imageOutput;
  const micros = Number((cost + 500_000n) / 1_000_000n);
  return Math.min(micros, Number.MAX_SAFE_INTEGER);
}

/** Parts may overlap, or be counted beside their total: nothing is charged twice for it, and nothing less than nothing. */
function rest(total: bigint, parts: bigint): bigint {
  return total > parts ? total - parts : 0n;
}

function toTokenPrices({ input, output, ...special }: ModelPrices): TokenPrices {
  const exact = (price: number | string | undefined, otherwise: number | string) =>
    toExact(price ?? otherwise) ?? 0n;
  return {
    input: exact(input, 0),
    output: exact(output, 0),
    cachedInput: exact(special.cachedInput, input),
    cacheWriteInput: exact(special.cacheWriteInput, input),
    imageInput: exact(special.imageInput, input),
    reasoning: exact(special.reasoning, output),
    imageOutput: exact(special.imageOutput, output),
  };
}

/** Reads a decimal without ever computing with a fraction. Undefined for what is no price. */
function toExact(price: unknown): bigint | undefined {
  const text = typeof price === 'number' ? numberToText(price) : price;
  if (typeof text !== 'string') return undefined;
  const [, whole, fraction = ''] = /^(\d{1,7})(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (whole === undefined || Number(whole) > MOST) return undefined;
  return BigInt(whole) * 10n ** BigInt(DECIMALS) + BigInt(fraction.padEnd(DECIMALS, '0'));
}

/** The shortest decimal that is this number, also where JavaScript would write `1e-7`. */
function numberToText(price: number): string | undefined {
  if (!Number.isFinite(price) || price < 0) return undefined;
  const text = String(price);
  return text.includes('e') ? undefined : text;
}
