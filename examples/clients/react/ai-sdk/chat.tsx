import { useChat } from '@ai-sdk/react';
import {
  DefaultChatTransport,
  isToolUIPart,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  getToolName,
  type UIMessage,
} from 'ai';
import { createRoot } from 'react-dom/client';
import { Approval, Conversation, Tool, Words } from '../shared/look';
import { agent, headers, server, threadId } from '../shared/session';

const api = `${server}/protocols/ai-sdk/chat`;

const transport = new DefaultChatTransport<Message>({
  api,
  headers,
  // The server keeps the conversation: the last message is all that it needs.
  prepareSendMessagesRequest: ({ id, messages }) => ({ body: { id, message: messages.at(-1), agent } }),
  // By the last run of the history, or an answer would be missed that ended between reading it and resuming.
  prepareReconnectToStreamRequest: ({ id }) => ({
    api: `${api}/${id}/stream?after=${history.at(-1)?.metadata?.runId ?? ''}`,
  }),
});

type Message = UIMessage<{ readonly runId: string }>;

/** What was said in this conversation, without the answer that is still being given: resuming tells that from its start. */
let history: Message[] = [];

async function load(): Promise<Message[]> {
  const response = await fetch(`${api}/${threadId}/messages`, { headers });
  history = response.ok ? await response.json() : [];
  return history;
}

/** Closing the connection, which is all that `stop()` of the hook does, stops nothing: the answer goes on for other readers. */
const stop = () => void fetch(`${api}/${threadId}/stop`, { method: 'POST', headers });

function Chat() {
  const { messages, setMessages, sendMessage, status, error, resumeStream, addToolApprovalResponse } =
    useChat<Message>({
      id: threadId,
      messages: history,
      transport,
      // Goes on with a run that was going on when the page was opened.
      resume: true,
      sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
    });

  const reconnect = async () => {
    setMessages(await load());
    await resumeStream();
  };

  const show = (part: Message['parts'][number], role: 'user' | 'assistant', key: string) => {
    if (part.type === 'text')
      return (
        <Words key={key} of={role}>
          {part.text}
        </Words>
      );
    if (!isToolUIPart(part)) return null;
    if (part.state === 'approval-requested') {
      const { id } = part.approval;
      return (
        <Approval key={key} answer={(approved) => void addToolApprovalResponse({ id, approved })}>
          {part.title}
        </Approval>
      );
    }
    return (
      <Tool key={key} name={getToolName(part)}>
        {part.title} {part.errorText ?? part.state}
      </Tool>
    );
  };

  return (
    <Conversation
      running={status === 'submitted' || status === 'streaming'}
      error={error?.message}
      reconnect={() => void reconnect()}
      send={(text) => void sendMessage({ text })}
      stop={stop}
    >
      {messages.flatMap(({ id, role, parts }) =>
        parts.map((part, index) => show(part, role === 'user' ? 'user' : 'assistant', `${id} ${index}`)),
      )}
    </Conversation>
  );
}

await load();
createRoot(document.getElementById('page')!).render(<Chat />);
