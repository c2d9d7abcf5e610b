import { ObjectStore } from './object.store.js';

/** Objects in a map. */
export class MapObjectStore extends ObjectStore {
  readonly location = 'a map';
  readonly objects = new Map<string, Uint8Array>();

  async put(name: string, data: Uint8Array): Promise<void> {
    this.objects.set(name, data.slice());
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return this.objects.get(name);
  }

  async delete(name: string): Promise<void> {
    this.objects.delete(name);
  }
}
