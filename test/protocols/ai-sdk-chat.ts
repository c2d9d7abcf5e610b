import * as v7 from 'ai';
import * as v6 from 'ai-v6';

type Message = v7.UIMessage;
type Chat = v7.AbstractChat<Message>;
type Fetch = typeof fetch;

interface ChatOptions {
  readonly url: string;
  readonly id?: string;
  readonly messages?: Message[];
  readonly fetch?: Fetch;
  readonly headers?: Record<string, string>;
  /** Fields that are sent along with each request. */
  readonly body?: object;
  readonly sendAutomaticallyWhen?: v7.ChatInit<Message>['sendAutomaticallyWhen'];
}

export const SDKS = [
  ['7', v7],
  // The two versions' types differ where their behaviour for us does not.
  ['6', v6 as unknown as typeof v7],
] as const;

/** The chat of a version of the AI SDK, as its framework packages make it: useChat without a framework. */
export function createChat(sdk: typeof v7): (options: ChatOptions) => Chat & { readonly errors: Error[] } {
  class PlainState implements v7.ChatState<Message> {
    status: v7.ChatStatus = 'ready';
    error: Error | undefined;
    constructor(public messages: Message[]) {}
    pushMessage = (message: Message) => void (this.messages = [...this.messages, message]);
    popMessage = () => void (this.messages = this.messages.slice(0, -1));
    replaceMessage = (index: number, message: Message) =>
      void (this.messages = this.messages.with(index, structuredClone(message)));
    snapshot = <T>(value: T): T => structuredClone(value);
  }
  class PlainChat extends sdk.AbstractChat<Message> {
    readonly errors: Error[] = [];
    constructor({ url, id = 'chat-1', messages = [], sendAutomaticallyWhen, ...rest }: ChatOptions) {
      const transport = new sdk.DefaultChatTransport<Message>({
        api: `${url}/protocols/ai-sdk/chat`,
        ...rest,
      });
      super({
        id,
        transport,
        state: new PlainState(messages),
        onError: (error) => this.errors.push(error),
        ...(sendAutomaticallyWhen && { sendAutomaticallyWhen }),
      });
    }
  }
  return (options) => new PlainChat(options);
}

export const readText = (message: Message | undefined): string =>
  (message?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('');
export const listTools = (message: Message | undefined) =>
  (message?.parts ?? []).filter((part) => part.type === 'dynamic-tool');
/** A JSON value's own copy, without what was never sent. */
export const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
