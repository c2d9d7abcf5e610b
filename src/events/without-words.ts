import type { InputRequest, RunEvent } from './run-event.js';

/**
 * Returns an event without the words of the conversation, for operators. Text keeps only its length. Questions, state, sources, changed messages, the data of custom
 * events and the names and addresses of files are left out. Names, outcomes, errors, tokens and times stay, and the input and output of tools as far
 * as their tool exposes them.
 */
export function withoutWords(event: RunEvent): RunEvent {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return { ...event, delta: event.delta.replaceAll(/\S/g, '·') };
    case 'tool-start':
      // A label may be made of arguments that are not exposed.
      return { ...event, label: event.toolName };
    case 'tool-progress': {
      const { message: _, data: __, ...rest } = event;
      return rest;
    }
    case 'input-request':
      return withoutQuestion(event);
    case 'input-answer': {
      const { input: _, added: __, ...rest } = event;
      return rest;
    }
    case 'state':
      return { type: 'state', patch: [] };
    case 'message-put':
      return { ...event, ...(event.text !== undefined && { text: '' }) };
    case 'custom':
      return { ...event, data: null };
    case 'file': {
      const { name: _, url: __, fileId: ___, ...rest } = event;
      return rest;
    }
    case 'source': {
      const { url: _, title: __, quote: ___, ...rest } = event;
      return rest;
    }
    case 'run-start':
    case 'run-resume':
    case 'step-start':
    case 'step-end':
    case 'step-reset':
    case 'text-start':
    case 'text-end':
    case 'reasoning-start':
    case 'reasoning-end':
    case 'tool-end':
    case 'usage':
    case 'checkpoint':
    case 'task':
    case 'end':
      return event;
    default:
      // From a newer version, with unknown content.
      return { type: (event satisfies never as RunEvent).type } as RunEvent;
  }
}

function withoutQuestion(request: InputRequest): InputRequest {
  switch (request.kind) {
    case 'approval': {
      const { reason: _, schema: __, ...rest } = request;
      return { ...rest, label: request.toolName, input: null };
    }
    case 'client-tool':
      return { ...request, label: request.toolName, input: null };
    case 'interrupt': {
      const { schema: _, ...rest } = request;
      return { ...rest, value: null };
    }
    case 'elicitation':
      return { ...request, message: request.toolName, schema: {} };
    default:
      return request satisfies never;
  }
}
