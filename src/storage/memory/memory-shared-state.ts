import { SharedState, type SharedValue } from '../../shared-state.js';

/** Keeps values as JSON, so that what comes back is what the other storages would give. */
export class MemorySharedState extends SharedState {
  override readonly outlivesProcess = false;
  private readonly values = new Map<string, string>();

  async get(name: string): Promise<unknown> {
    const value = this.values.get(name);
    return value === undefined ? undefined : JSON.parse(value);
  }

  async list(prefix: string): Promise<readonly SharedValue[]> {
    return [...this.values]
      .filter(([name]) => name.startsWith(prefix))
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, value]) => ({ name, value: JSON.parse(value) }));
  }

  async create(name: string, value: unknown): Promise<unknown> {
    if (!this.values.has(name)) await this.set(name, value);
    return this.get(name);
  }

  async set(name: string, value: unknown): Promise<void> {
    this.values.set(name, JSON.stringify(value));
  }

  async delete(name: string, expected?: unknown): Promise<void> {
    if (expected !== undefined && this.values.get(name) !== JSON.stringify(expected)) return;
    this.values.delete(name);
  }
}
