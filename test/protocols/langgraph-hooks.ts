import { afterEach } from '@jest/globals';
import type { DefaultValues } from '@langchain/langgraph-sdk';
import { StreamController } from '@langchain/langgraph-sdk/stream';

/** The inside of `useStream`, without React. */
export type Hook = StreamController<DefaultValues>;

type HookOptions = ConstructorParameters<typeof StreamController<DefaultValues>>[0];

/** Creates hooks that reconnect at once, and disposes of them after each test. */
export function langGraphHooks(): (options: HookOptions) => Hook {
  const hooks: Hook[] = [];
  afterEach(async () => {
    await Promise.all(hooks.splice(0).map((hook) => hook.dispose()));
  });
  return (options) => {
    const hook = new StreamController<DefaultValues>({ reconnectDelayMs: () => 0, ...options });
    hooks.push(hook);
    return hook;
  };
}

export const getSnapshot = (hook: Hook) => hook.rootStore.getSnapshot();

/** Resolves once the hook shows it. */
export async function shows(hook: Hook, condition: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = () => {
      if (!condition()) return;
      stop();
      resolve();
    };
    const stop = hook.rootStore.subscribe(look);
    queueMicrotask(look);
  });
}
