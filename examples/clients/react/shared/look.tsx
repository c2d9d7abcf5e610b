import type { FormEvent, ReactNode } from 'react';

/** What the pages have in common: how they look. What they are about is in their own files. */
export function Conversation({
  ready = true,
  running,
  error,
  reconnect,
  send,
  stop,
  children,
}: {
  /** False until the library knows its server. */
  readonly ready?: boolean;
  readonly running: boolean;
  readonly error: string | undefined;
  /** Absent where the library comes back by itself. */
  readonly reconnect?: () => void;
  readonly send: (question: string) => void;
  readonly stop: () => void;
  readonly children: ReactNode;
}) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const question = new FormData(event.currentTarget).get('question');
    event.currentTarget.reset();
    if (typeof question === 'string' && question.trim() !== '') send(question);
  };
  return (
    <main>
      {children}
      {error && (
        <p role="alert">
          {error} {reconnect && <button onClick={reconnect}>Reconnect</button>}
        </p>
      )}
      <form onSubmit={submit}>
        <input name="question" aria-label="Your question" autoComplete="off" />
        {running ? (
          <button type="button" onClick={stop}>
            Stop
          </button>
        ) : (
          <button disabled={!ready}>Send</button>
        )}
      </form>
    </main>
  );
}

export function Words({ of, children }: { readonly of: 'user' | 'assistant'; readonly children: ReactNode }) {
  return (
    <p className="words" data-of={of}>
      {children}
    </p>
  );
}

export function Tool({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <p className="tool" data-tool={name}>
      <b>{name}</b> {children}
    </p>
  );
}

export function Approval({
  children,
  answer,
}: {
  readonly children: ReactNode;
  readonly answer: (approved: boolean) => void;
}) {
  return (
    <p className="approval">
      {children} <button onClick={() => answer(true)}>Approve</button>{' '}
      <button onClick={() => answer(false)}>Deny</button>
    </p>
  );
}
