import type { StoreIndex } from '../agent-store.js';
import { textsAt } from './texts-at.js';

/** Makes vectors from the texts of items and from queries. */
export class ItemVectors {
  constructor(private readonly index: StoreIndex) {}

  /**
   * Returns the vectors of each value, all embedded in one call.
   *
   * @param items `fields`: paths of its texts; default those of the index; false for none
   */
  async ofItems(
    items: readonly { readonly value: unknown; readonly fields: false | readonly string[] | undefined }[],
  ): Promise<readonly (readonly Float32Array[])[]> {
    const { fields: usual = ['$'] } = this.index;
    const texts = items.map(({ value, fields = usual }) =>
      fields === false ? [] : fields.flatMap((path) => textsAt(value, path)),
    );
    const all = [...new Set(texts.flat())];
    const vectors = all.length === 0 ? [] : await this.embed(all);
    const byText = new Map(all.map((text, index) => [text, vectors[index]]));
    return texts.map((own) => own.flatMap((text) => byText.get(text) ?? []));
  }

  async ofQuery(query: string): Promise<Float32Array> {
    const { embed } = this.index;
    const [vector] =
      typeof embed === 'function'
        ? await this.embed([query])
        : this.check([await embed.embedQuery(query)], 1);
    return vector as Float32Array;
  }

  private async embed(texts: string[]): Promise<Float32Array[]> {
    const { embed } = this.index;
    const vectors = typeof embed === 'function' ? await embed(texts) : await embed.embedDocuments(texts);
    return this.check(vectors, texts.length);
  }

  private check(vectors: readonly (readonly number[])[], count: number): Float32Array[] {
    const { dims } = this.index;
    if (vectors.length !== count)
      throw new TypeError(
        `\`embed\` of the store has returned ${vectors.length} vectors for ${count} texts.`,
      );
    const wrong = vectors.find(({ length }) => length !== dims);
    if (wrong)
      throw new TypeError(
        `\`embed\` of the store has returned a vector of ${wrong.length} numbers, and \`dims\` is ${dims}. Correct \`dims\`.`,
      );
    return vectors.map((vector) => {
      const numbers = Float32Array.from(vector);
      if (numbers.every((number) => Number.isFinite(number))) return numbers;
      throw new TypeError('`embed` of the store has returned a vector with a number that is not finite.');
    });
  }
}
