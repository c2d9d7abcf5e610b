import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessage, AIMessageChunk } from '@langchain/core/messages';
import { ChatGenerationChunk } from '@langchain/core/outputs';
import { tool } from '@langchain/core/tools';
import { Annotation, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { createDeepAgent } from 'deepagents';
import { createAgent, humanInTheLoopMiddleware, todoListMiddleware } from 'langchain';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** Answers by a rule instead of a model: with the calls that it makes, or with words, which it streams. */
class Scripted extends BaseChatModel {
  /** @param decide returns `{ text, calls? }` for a conversation */
  constructor(decide) {
    super({});
    this.decide = decide;
  }

  _llmType() {
    return 'scripted';
  }

  bindTools() {
    return this;
  }

  async *_streamResponseChunks(messages, options, runManager) {
    const { text = '', calls = [] } = this.decide(messages);
    const pieces = [
      ...text.split(/(?<= )/u).map((content) => new AIMessageChunk({ content })),
      ...calls.map(
        ({ name, args }, index) =>
          new AIMessageChunk({
            content: '',
            tool_call_chunks: [
              {
                type: 'tool_call_chunk',
                index,
                id: `${name}-${messages.length}-${index}`,
                name,
                args: JSON.stringify(args),
              },
            ],
          }),
      ),
    ];
    for (const message of pieces) {
      await delay(20, undefined, { signal: options.signal });
      const chunk = new ChatGenerationChunk({ text: message.text, message });
      await runManager?.handleLLMNewToken(chunk.text, undefined, undefined, undefined, undefined, { chunk });
      yield chunk;
    }
  }

  async _generate(messages, options, runManager) {
    let whole;
    for await (const chunk of this._streamResponseChunks(messages, options, runManager))
      whole = whole ? whole.concat(chunk) : chunk;
    return { generations: [whole] };
  }
}

const weather = tool(({ city }) => `Sunny in ${city}.`, {
  name: 'get_weather',
  description: 'The weather of a city.',
  schema: z.object({ city: z.string() }),
});

const mail = tool(({ to, subject }) => `Sent "${subject}" to ${to}.`, {
  name: 'send_email',
  description: 'Sends a mail.',
  schema: z.object({ to: z.string(), subject: z.string() }),
});

/** Returns what follows the last question: its words, and the results since. */
function lastTurn(messages) {
  const place = messages.findLastIndex((message) => message.getType() === 'human');
  const { content } = messages[place];
  const blocks = typeof content === 'string' ? [] : content;
  const turns = messages.filter((message) => message.getType() === 'human').length;
  return {
    turns,
    text: messages[place].text,
    blocks,
    results: messages.slice(place + 1).filter((m) => m.getType() === 'tool'),
  };
}

function chat(messages) {
  const { text, turns, blocks, results } = lastTurn(messages);
  const file = blocks.find(({ type }) => type !== 'text');
  if (results.length > 0) return { text: `It said: ${results.at(-1).text} That was question ${turns}.` };
  if (file)
    return { text: `You sent a ${file.type} of type ${file.mimeType ?? file.mime_type ?? 'unknown'}.` };
  const city = /weather in (\w+)/.exec(text)?.[1];
  if (city) return { text: 'Let me look. ', calls: [{ name: 'get_weather', args: { city } }] };
  if (text.includes('mail'))
    return {
      text: 'I will write. ',
      calls: [{ name: 'send_email', args: { to: 'ann@example.com', subject: 'Hello' } }],
    };
  if (text.includes('slowly')) return { text: 'Word after word after word. '.repeat(60) };
  return { text: `You asked: ${text}. That was question ${turns}. ${crypto.randomUUID().slice(0, 8)}` };
}

/** Plans, lets another agent look something up, writes a file, and ticks its list off. */
function plan(messages) {
  const { text, results } = lastTurn(messages);
  if (text.includes('mail') || text.includes('slowly')) return chat(messages);
  const todos = (...status) =>
    ['Look it up', 'Write the report'].map((content, index) => ({ content, status: status[index] }));
  const steps = [
    {
      text: 'First a plan. ',
      calls: [{ name: 'write_todos', args: { todos: todos('in_progress', 'pending') } }],
    },
    { calls: [{ name: 'task', args: { description: 'weather in Oslo', subagent_type: 'researcher' } }] },
    { calls: [{ name: 'write_todos', args: { todos: todos('completed', 'in_progress') } }] },
    {
      calls: [
        { name: 'write_file', args: { file_path: '/report.md', content: '# Report\n\nSunny in Oslo.' } },
      ],
    },
    { calls: [{ name: 'write_todos', args: { todos: todos('completed', 'completed') } }] },
  ];
  return steps[results.length] ?? { text: 'The report is in /report.md.' };
}

export const agent = createAgent({
  model: new Scripted(chat),
  tools: [weather, mail],
  middleware: [
    humanInTheLoopMiddleware({
      interruptOn: { send_email: { allowedDecisions: ['approve', 'edit', 'reject'] } },
    }),
  ],
});

export const deep = createDeepAgent({
  model: new Scripted(plan),
  tools: [mail],
  middleware: [todoListMiddleware()],
  interruptOn: { send_email: { allowedDecisions: ['approve', 'edit', 'reject'] } },
  subagents: [
    {
      name: 'researcher',
      description: 'Looks things up.',
      systemPrompt: 'You look things up.',
      model: new Scripted(chat),
      tools: [weather],
    },
  ],
});

/** Keeps its files as texts, as the page writes them. Deep agents in JavaScript keep objects. */
export const notes = new StateGraph(
  Annotation.Root({
    ...MessagesAnnotation.spec,
    files: Annotation({ reducer: (one, other) => ({ ...one, ...other }), default: () => ({}) }),
  }),
)
  .addNode('write', ({ files }) => ({
    files: { ...(Object.keys(files).length === 0 && { 'notes.md': 'Sun' }) },
    messages: [new AIMessage(`The notes say: ${files['notes.md'] ?? 'nothing'}.`)],
  }))
  .addEdge(START, 'write')
  .compile();
