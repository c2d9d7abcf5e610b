import { useStream } from '@langchain/react';
import { createRoot } from 'react-dom/client';
import { Approval, Conversation, Tool, Words } from '../shared/look';
import { agent, headers, server, threadId } from '../shared/session';

/** What LangChain's human-in-the-loop middleware asks. */
interface Question {
  readonly action_requests: readonly { readonly description: string }[];
}

function Chat() {
  const stream = useStream<Record<string, unknown>, Question>({
    assistantId: agent,
    apiUrl: `${server}/protocols/langgraph`,
    defaultHeaders: headers,
    threadId,
  });

  return (
    <Conversation
      running={stream.isLoading}
      error={(stream.error as Error | undefined)?.message}
      send={(content) => void stream.submit({ messages: [{ type: 'human', content }] })}
      stop={() => void stream.stop()}
    >
      {stream.messages.map((message, index) =>
        message.type === 'tool' ? (
          <Tool key={message.id ?? index} name={message.name ?? ''}>
            {message.text}
          </Tool>
        ) : (
          message.text && (
            <Words key={message.id ?? index} of={message.type === 'human' ? 'user' : 'assistant'}>
              {message.text}
            </Words>
          )
        ),
      )}
      {stream.toolCalls
        .filter(({ status }) => status === 'running')
        .map(({ id, name }) => (
          <Tool key={id} name={name}>
            running
          </Tool>
        ))}
      {stream.interrupts.map(({ id, value }) => (
        <Approval
          key={id}
          answer={(approved) => {
            const decision = { type: approved ? 'approve' : 'reject' };
            void stream.respond({ decisions: [decision] }, { interruptId: id! });
          }}
        >
          {value?.action_requests[0]?.description}
        </Approval>
      ))}
    </Conversation>
  );
}

createRoot(document.getElementById('page')!).render(<Chat />);
