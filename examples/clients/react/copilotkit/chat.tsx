import {
  CopilotChatConfigurationProvider,
  CopilotKitProvider,
  useAgent,
  useCopilotKit,
  useInterrupt,
} from '@copilotkit/react-core/v2';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Approval, Conversation, Tool, Words } from '../shared/look';
import { agent as agentId, headers, server, threadId } from '../shared/session';

const getText = ({ content }: { readonly content?: unknown }) => (typeof content === 'string' ? content : '');

function Chat({ error, setError }: { readonly error?: string; readonly setError: (error?: string) => void }) {
  const { agent, isReady } = useAgent();
  const { copilotkit } = useCopilotKit();
  const approval = useInterrupt({
    renderInChat: false,
    render: ({ interrupt, resolve }) => (
      <Approval answer={(approved) => void resolve({ approved })}>{interrupt?.message}</Approval>
    ),
  });

  // What was said in this conversation, and the run that goes on in it.
  const connect = () => {
    setError();
    void copilotkit.connectAgent({ agent });
  };
  useEffect(() => {
    if (!isReady) return;
    connect();
    return () => void agent.detachActiveRun();
  }, [agent, isReady]);

  const send = (content: string) => {
    setError();
    agent.addMessage({ id: crypto.randomUUID(), role: 'user', content });
    void copilotkit.runAgent({ agent });
  };
  const resultOf = (toolCallId: string) =>
    agent.messages.find((message) => message.role === 'tool' && message.toolCallId === toolCallId);

  return (
    <Conversation
      ready={isReady}
      running={agent.isRunning}
      error={error}
      reconnect={connect}
      send={send}
      stop={() => copilotkit.stopAgent({ agent })}
    >
      {agent.messages.map((message) => {
        if (message.role === 'user')
          return (
            <Words key={message.id} of="user">
              {getText(message)}
            </Words>
          );
        if (message.role !== 'assistant') return null;
        return (
          <div key={message.id}>
            {message.content && <Words of="assistant">{message.content}</Words>}
            {message.toolCalls?.map(({ id, function: { name } }) => {
              const result = resultOf(id);
              return (
                <Tool key={id} name={name}>
                  {result ? getText(result) : 'running'}
                </Tool>
              );
            })}
          </div>
        );
      })}
      {approval}
    </Conversation>
  );
}

function Page() {
  const [error, setError] = useState<string>();
  return (
    <CopilotKitProvider
      runtimeUrl={`${server}/protocols/ag-ui/copilotkit`}
      headers={headers}
      onError={(event) => setError(event.error.message)}
    >
      <CopilotChatConfigurationProvider agentId={agentId} threadId={threadId}>
        <Chat error={error} setError={setError} />
      </CopilotChatConfigurationProvider>
    </CopilotKitProvider>
  );
}

createRoot(document.getElementById('page')!).render(<Page />);
