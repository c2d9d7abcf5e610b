import { afterEach, describe, expect, it } from '@jest/globals';
import { HumanMessage, type BaseMessage } from '@langchain/core/messages';
import type { RunnableConfig } from '@langchain/core/runnables';
import { MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import type { ModelProfile } from '@langchain/core/language_models/profile';
import { ADA } from '../../runs/run.testing.js';
import type { StartRunRequest } from '../../runs/start-request.js';
import {
  chat,
  closeStacks,
  graphAgent,
  hang,
  reached,
  stackWith,
  type Stack,
} from './langgraph-stack.testing.js';
import { ScriptedModel, type ScriptedAnswer } from './langgraph.testing.js';
import { readFiles, resolveFiles } from './resolve-files.js';

afterEach(closeStacks);

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const PDF = Buffer.from('%PDF-1.7 and so on');
const CSV = Buffer.from('name;age\nAda;36');

/** A scripted model of which LangChain knows what it can read. */
class SeeingModel extends ScriptedModel {
  constructor(
    private readonly known: ModelProfile,
    script: (messages: readonly BaseMessage[], call: number) => ScriptedAnswer = () => ({
      chunks: ['Seen.'],
    }),
  ) {
    super(script);
  }

  override get profile(): ModelProfile {
    return this.known;
  }
}

async function askWith(stack: Stack, request: Omit<StartRunRequest, 'principal'>) {
  const run = await stack.runs.start({ principal: ADA, ...request });
  const log = await stack.readLog(run.id);
  expect(log.at(-1)?.event).toMatchObject({ type: 'end' });
  return { run, log };
}

const toTypes = ({ content = [] }: Partial<BaseMessage> = {}) =>
  Array.isArray(content) ? content.map(({ type }) => type) : [];

const lastQuestion = (messages: readonly BaseMessage[] = []) =>
  messages.findLast((message) => HumanMessage.isInstance(message));

describe('files of a message', () => {
  it('reach a model that sees as standard blocks, and neither the log nor the state', async () => {
    const model = new SeeingModel({ imageInputs: true, pdfInputs: true });
    const stack = await stackWith(chat(model));
    const { run, log } = await askWith(stack, {
      message: 'What is this?',
      files: [
        { data: PNG, name: 'dot.png' },
        { data: PDF, name: 'a.pdf' },
        { data: CSV, name: 'people.csv', mediaType: 'text/csv' },
      ],
    });
    const question = lastQuestion(model.requests[0]);
    expect(question?.content).toEqual([
      {
        type: 'image',
        mimeType: 'image/png',
        data: PNG.toString('base64'),
        metadata: { filename: 'dot.png' },
      },
      {
        type: 'file',
        mimeType: 'application/pdf',
        data: PDF.toString('base64'),
        metadata: { filename: 'a.pdf' },
      },
      { type: 'text', text: `<file name="people.csv">\n${CSV.toString()}\n</file>` },
      { type: 'text', text: 'What is this?' },
    ]);
    expect(question?.response_metadata).toEqual({ output_version: 'v1' });
    expect(log[0]?.event).toMatchObject({
      type: 'run-start',
      files: [
        { mediaType: 'image/png', name: 'dot.png', bytes: PNG.byteLength, fileId: expect.any(String) },
        { mediaType: 'application/pdf', name: 'a.pdf' },
        { mediaType: 'text/csv', name: 'people.csv' },
      ],
    });
    const kept = JSON.stringify([log, run, await stack.readMessages(run.threadId)]);
    for (const bytes of [PNG, PDF, CSV]) expect(kept).not.toContain(bytes.toString('base64').slice(0, 20));
    expect(kept).not.toContain('Ada;36');
  });

  it('are in the conversation of later turns, until something is too large for a request', async () => {
    const model = new SeeingModel({ imageInputs: true });
    const stack = await stackWith(chat(model), { files: { maxFileBytes: 30_000_000 } });
    const { run } = await askWith(stack, { message: 'One', files: [{ data: PNG, name: 'dot.png' }] });
    const { threadId } = run;
    await askWith(stack, { message: 'Two', threadId });
    const readKinds = () =>
      (model.requests.at(-1) ?? []).flatMap(({ content }) =>
        Array.isArray(content) ? content.map(({ type, text }) => text ?? type) : [],
      );
    expect(readKinds()).toEqual(['image', 'One']);
    const large = Buffer.concat([PNG, Buffer.alloc(24 * 1024 * 1024 - PNG.byteLength)]);
    await askWith(stack, { message: 'Three', threadId, files: [{ data: large, name: 'large.png' }] });
    expect(readKinds()).toEqual([
      '[file: dot.png (image/png), which is left out here]',
      'One',
      'image',
      'Three',
    ]);
  });

  it('are refused before anything is stored by an agent whose model cannot read them', async () => {
    const model = new SeeingModel({ imageInputs: false });
    const stack = await stackWith(chat(model));
    const file = { data: PNG, name: 'dot.png' };
    await expect(stack.runs.start({ principal: ADA, message: 'Look', files: [file] })).rejects.toMatchObject({
      code: 'FILE_NOT_ACCEPTED',
      message: expect.stringMatching(
        /^The agent 'chat' cannot read 'dot\.png' \(image\/png\)\. It takes: text/,
      ),
    });
    expect((await stack.storage.runs.listThreads(ADA, { limit: 1 })).items).toEqual([]);
    const plain = await stackWith(
      graphAgent(new StateGraph(MessagesAnnotation).addNode('n', () => ({})).addEdge(START, 'n')),
    );
    await expect(plain.runs.start({ principal: ADA, message: 'Look', files: [file] })).rejects.toMatchObject({
      code: 'FILE_NOT_ACCEPTED',
      message: expect.stringContaining('It takes no files.'),
    });
  });

  it('reach a model that LangChain does not know if its agent accepts them, and become a note for another', async () => {
    const seeing = new ScriptedModel((_, call) => ({ chunks: [`Seen ${call}.`] }));
    const stack = await stackWith(chat(seeing, { accepts: ['image/*'] }));
    const { run } = await askWith(stack, { message: 'Look', files: [{ data: PNG, name: 'dot.png' }] });
    expect(lastQuestion(seeing.requests[0])?.content).toMatchObject([{ type: 'image' }, { type: 'text' }]);
    const blind = new SeeingModel({ imageInputs: false });
    const next = await stackWith(chat(blind, { accepts: ['image/*'] }), { storage: stack.storage });
    await askWith(next, { message: 'And now?', threadId: run.threadId });
    const [question] = blind.requests[0] ?? [];
    expect(question?.content).toEqual([
      { type: 'text', text: '[file: dot.png (image/png), which this model cannot read]' },
      { type: 'text', text: 'Look' },
    ]);
    expect(question?.response_metadata).toEqual({});
  });

  it('are asked again with the message when an answer is made again, and when its text is edited', async () => {
    const model = new SeeingModel({ imageInputs: true });
    const stack = await stackWith(chat(model));
    const { run } = await askWith(stack, { message: 'Look', files: [{ data: PNG, name: 'dot.png' }] });
    const files = run.given?.files;
    const again = await askWith(stack, { message: '', replaces: run.id });
    expect(again.run.given?.files).toEqual(files);
    const edited = await askWith(stack, { message: 'Look again', replaces: run.id });
    expect(edited.run.given?.files).toEqual(files);
    expect(model.requests.map((asked) => asked.length)).toEqual([1, 1, 1]);
    expect(lastQuestion(model.requests[2])?.content).toMatchObject([
      { type: 'image' },
      { text: 'Look again' },
    ]);
    const without = await askWith(stack, { message: 'No picture', replaces: run.id, files: [] });
    expect(without.run.given?.files).toBeUndefined();
    expect(lastQuestion(model.requests[3])?.content).toBe('No picture');
  });

  it('of a run that was cancelled before it began are in the conversation of the next one', async () => {
    let isHeld = true;
    const model = new SeeingModel({ imageInputs: true }, () => ({
      ...(isHeld && { hold: hang }),
      chunks: ['Words '],
    }));
    const stack = await stackWith(chat(model), { whenBusy: 'queue' });
    const first = await stack.runs.start({ principal: ADA, message: 'First' });
    const { threadId } = first;
    await reached(stack, first.id, ({ type }) => type === 'text-delta');
    const waiting = await stack.runs.start({
      principal: ADA,
      message: 'Second',
      threadId,
      files: [{ data: PNG, name: 'dot.png' }],
    });
    await stack.runs.cancel(ADA, waiting.id);
    await stack.runs.cancel(ADA, first.id);
    await stack.readLog(waiting.id);
    isHeld = false;
    await askWith(stack, { message: 'Third', threadId });
    const told = (model.requests.at(-1) ?? []).flatMap(({ content }) =>
      Array.isArray(content) ? content.map(({ type, text }) => text ?? type) : [],
    );
    expect(told).toEqual(['image', 'Second']);
  });

  it('reach the model of a graph that calls it by itself through `readFiles`', async () => {
    const model = new SeeingModel({});
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('answer', async ({ messages }, config: RunnableConfig) => ({
        messages: [await model.invoke([...(await readFiles(messages, config))])],
      }))
      .addEdge(START, 'answer');
    const stack = await stackWith(graphAgent(graph, { accepts: ['image/*'] }));
    const { run } = await askWith(stack, { message: '', files: [{ data: PNG }] });
    expect(lastQuestion(model.requests[0])?.content).toEqual([
      { type: 'image', mimeType: 'image/png', data: PNG.toString('base64'), metadata: { filename: 'file' } },
    ]);
    const state = JSON.stringify(await stack.readMessages(run.threadId));
    expect(state).not.toContain(PNG.toString('base64').slice(0, 20));
    expect((await stack.storage.runs.getThread(ADA, run.threadId))?.title).toBe('image/png');
  });

  it('at an address are handed to the model as one, where the server allows it', async () => {
    const model = new SeeingModel({ imageInputs: true });
    const url = 'https://example.com/dot.png';
    const closed = await stackWith(chat(model));
    await expect(
      closed.runs.start({ principal: ADA, message: 'Look', files: [{ url }] }),
    ).rejects.toMatchObject({ code: 'FILE_REFUSED' });
    const stack = await stackWith(chat(model), { files: { allowUrls: true } });
    await askWith(stack, { message: 'Look', files: [{ url, name: 'dot.png' }] });
    expect(lastQuestion(model.requests[0])?.content).toMatchObject([
      { type: 'image', mimeType: 'image/png', url, metadata: { filename: 'dot.png' } },
      { type: 'text', text: 'Look' },
    ]);
    await expect(
      stack.runs.start({ principal: ADA, message: 'Look', files: [{ url: 'file:///etc/passwd' }] }),
    ).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  it('count with the bytes that they have, whatever their blocks say, and are read once', async () => {
    const data = new Uint8Array(10 * 1024 * 1024);
    const reads: string[] = [];
    const readFile = async (fileId: string) => {
      reads.push(fileId);
      return { mediaType: 'image/png', data };
    };
    const block = (fileId: string, bytes?: number) => ({
      type: 'image',
      mimeType: 'image/png',
      fileId,
      metadata: { filename: fileId, ...(bytes !== undefined && { bytes }), agent_stream_file: true },
    });
    const ids = ['a', 'a', 'b', 'c', 'd'];
    for (const bytes of [undefined, 0, -1e9]) {
      reads.length = 0;
      const content = ids.map((id) => block(id, bytes)) as never;
      const [message] = await resolveFiles([new HumanMessage({ content })], { readFile, takes: () => true });
      expect(toTypes(message)).toEqual(['image', 'image', 'text', 'text', 'text']);
      expect(reads).toEqual(['a', 'b']);
    }
  });

  it('come with the message only: a block that a request has made is refused wherever it is', async () => {
    const model = new SeeingModel({ imageInputs: true });
    const stack = await stackWith(chat(model));
    const { run } = await askWith(stack, { message: 'One', files: [{ data: PNG, name: 'dot.png' }] });
    const { fileId } = run.given?.files?.[0] ?? {};
    expect(fileId).toEqual(expect.any(String));
    const block = { type: 'image', mimeType: 'image/png', fileId, metadata: { agent_stream_file: 1 } };
    const messages = [
      { type: 'human', content: [block] },
      { type: 'human', content: 'hi' },
    ];
    const given: Partial<StartRunRequest>[] = [
      { input: { messages } },
      { input: { messages: messages.toReversed() } },
      { isWithoutMessage: true, input: { messages: messages[0] } },
      { context: { deep: [block] } },
    ];
    for (const each of given)
      await expect(
        stack.runs.start({ principal: ADA, message: 'hi', files: [], ...each }),
      ).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
        message: expect.stringMatching(/agent_stream_file/),
      });
    expect(model.requests).toHaveLength(1);
  });

  it('are not made by a change of the state', async () => {
    const graph = new StateGraph(MessagesAnnotation).addNode('answer', () => ({})).addEdge(START, 'answer');
    const stack = await stackWith(graphAgent(graph, { takesStateChanges: true }));
    const block = {
      type: 'file',
      mimeType: 'text/plain',
      fileId: 'x',
      metadata: { agent_stream_file: true },
    };
    const values = { messages: [{ type: 'human', content: [block] }] };
    await expect(
      stack.runs.start({
        principal: ADA,
        message: '',
        isWithoutMessage: true,
        stateChange: { updates: [{ values }] },
      }),
    ).rejects.toMatchObject({ code: 'REQUEST_INVALID', message: expect.stringMatching(/agent_stream_file/) });
  });
});
