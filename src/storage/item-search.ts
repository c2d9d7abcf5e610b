import type { ItemQuery } from '../agents/item.store.js';

// Also runs in the worker of SQLite, from the sources: erasable TypeScript only.

/** An item as far as a search looks at it. */
export interface Candidate {
  readonly id: number;
  /** JSON. */
  readonly value: string;
  readonly vectors: Uint8Array | null;
  /** The score, if the storage has compared the vectors itself. */
  readonly score?: number | null;
}

export interface Hit {
  readonly id: number;
  readonly score?: number;
}

/** One search, for a storage that offers it one candidate after the other in the order of creation. */
export class ItemSearch {
  private readonly query: Omit<ItemQuery, 'prefix'>;
  private readonly scored: Required<Hit>[] = [];
  private readonly others: Hit[] = [];

  constructor(query: Omit<ItemQuery, 'prefix'>) {
    this.query = query;
  }

  /** Returns true once no later candidate can change the hits. */
  offer({ id, value, vectors, score: known }: Candidate): boolean {
    const { filter, vector, offset, limit } = this.query;
    if (filter && !matches(JSON.parse(value), filter)) return false;
    const score = known ?? (vector && vectors ? findNearest(vectors, vector) : undefined);
    if (score === undefined) this.others.push({ id });
    else this.scored.push({ id, score });
    return !vector && this.others.length >= offset + limit;
  }

  /** Best score first; those without one come last, as in LangGraph's own store in memory. */
  get hits(): readonly Hit[] {
    const { offset, limit } = this.query;
    const all = [...this.scored.toSorted((one, other) => other.score - one.score), ...this.others];
    return all.slice(offset, offset + limit);
  }
}

/** The vectors of an item in one piece: their length, and then one after the other. */
export function packVectors(vectors: readonly Float32Array[]): Uint8Array | null {
  const [first] = vectors;
  if (!first) return null;
  const packed = new Float32Array(1 + vectors.length * first.length);
  packed[0] = first.length;
  for (const [index, vector] of vectors.entries()) packed.set(vector, 1 + index * first.length);
  return new Uint8Array(packed.buffer);
}

/** Undefined when they are of another length: another model has made them. */
function findNearest(packed: Uint8Array, query: Float32Array): number | undefined {
  // What a driver gives may begin anywhere in its buffer; numbers have to begin at a multiple of four.
  const numbers = new Float32Array(new Uint8Array(packed).buffer);
  const length = query.length;
  if (numbers[0] !== length) return undefined;
  const ofQuery = Math.sqrt(dot(query, query, 0));
  let nearest = -1;
  for (let start = 1; start < numbers.length; start += length) {
    const own = Math.sqrt(squareSum(numbers, start, length));
    const cosine = own && ofQuery ? dot(query, numbers, start) / (own * ofQuery) : 0;
    if (cosine > nearest) nearest = cosine;
  }
  return nearest;
}

function dot(query: Float32Array, numbers: Float32Array, start: number): number {
  let sum = 0;
  for (let index = 0; index < query.length; index += 1) {
    sum += (query[index] as number) * (numbers[start + index] as number);
  }
  return sum;
}

function squareSum(numbers: Float32Array, start: number, length: number): number {
  let sum = 0;
  for (let index = start; index < start + length; index += 1) sum += (numbers[index] as number) ** 2;
  return sum;
}

/** Compares as LangGraph's store in memory does: values by identity, sizes as numbers. */
function matches(value: unknown, filter: Readonly<Record<string, unknown>>): boolean {
  const fields = (value ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(filter).every(([name, wanted]) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof wanted !== 'object' || wanted === null) return field === wanted;
    return Object.entries(wanted).every(([operator, operand]) => compare(field, operator, operand));
  });
}

function compare(field: unknown, operator: string, operand: unknown): boolean {
  switch (operator) {
    case '$eq':
      return field === operand;
    case '$ne':
      return field !== operand;
    case '$gt':
      return Number(field) > Number(operand);
    case '$gte':
      return Number(field) >= Number(operand);
    case '$lt':
      return Number(field) < Number(operand);
    case '$lte':
      return Number(field) <= Number(operand);
    case '$in':
      return Array.isArray(operand) && operand.includes(field);
    case '$nin':
      return !Array.isArray(operand) || !operand.includes(field);
    default:
      return false;
  }
}
