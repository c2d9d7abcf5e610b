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

/** Below the limit of a test, so that the failure says what is shown instead; a busy machine needs some of it. */
const PATIENCE_MS = 90_000;

/** Resolves once the hook shows it. Looked at with each change: it may show it for a moment only. */
export async function shows(hook: Hook, condition: () => boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => condition() && resolve();
  const stop = hook.rootStore.subscribe(look);
  const patience = setTimeout(() => {
    const shown = getSnapshot(hook).messages.map(({ text }) => text);
    reject(new Error(`It was never shown: ${String(condition)}. There is: ${JSON.stringify(shown)}`));
  }, PATIENCE_MS).unref();
  queueMicrotask(look);
  try {
    await promise;
  } finally {
    clearTimeout(patience);
    stop();
  }
}
