import { afterEach, describe, expect, it } from '@jest/globals';
import { AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { createAgent } from 'langchain';
import { z } from 'zod';
import { StreamingModel, usagePiece } from '../../../test/harness/streaming.model.js';
import { foldRun, type FilePart, type ViewPart } from '../../events/run-view.js';
import { ADA } from '../../runs/run.testing.js';
import {
  chain,
  closeStacks,
  graphAgent,
  scripted,
  stackWith,
  type Stack,
} from './langgraph-stack.testing.js';
import { findToolMessages } from './langgraph.testing.js';

afterEach(closeStacks);

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const IMAGE = { type: 'image', mimeType: 'image/png', data: PNG };
const CITED = {
  type: 'text',
  text: 'Look: ',
  annotations: [{ type: 'citation', url: 'https://example.com/dot', title: 'Dots' }],
};

/** A model that streams blocks. */
class DrawingModel extends StreamingModel {
  override _llmType(): string {
    return 'drawing';
  }

  protected override async *speak(): AsyncGenerator<AIMessageChunk> {
    yield new AIMessageChunk({ content: 'Here ' });
    yield new AIMessageChunk({ content: [{ ...CITED, index: 1 }] });
    yield new AIMessageChunk({ content: [{ ...IMAGE, index: 2 }] });
    yield usagePiece(2);
  }
}

async function answer(stack: Stack) {
  const { log, threadId } = await stack.answerTo('Draw a dot.');
  expect(JSON.stringify(log)).not.toContain(PNG.slice(0, 40));
  return { parts: foldRun('run', log).parts, log, threadId };
}

const simply = (parts: readonly ViewPart[]) =>
  parts.map((part) => {
    if (part.kind === 'text') return part.text;
    if (part.kind === 'file') return part.omitted ?? part.url ?? part.mediaType;
    return part.kind === 'source' ? part.title : part.kind;
  });

const isFile = (part: ViewPart): part is FilePart => part.kind === 'file';

describe('files and sources of an answer', () => {
  it('shows what a model has drawn and cited, and keeps the bytes beside the log', async () => {
    const stack = await stackWith(graphAgent(createAgent({ model: new DrawingModel(), tools: [] })));
    const { parts } = await answer(stack);
    expect(simply(parts)).toEqual(['Here Look: ', 'Dots', 'image/png']);
    const { fileId = '' } = parts.find(isFile)!;
    const kept = await stack.storage.blobs.get(ADA, fileId);
    expect(Buffer.from(kept?.data ?? []).toString('base64')).toBe(PNG);
  });

  it('shows what a node says without a model, also if that is an image alone', async () => {
    const stack = await stackWith(
      graphAgent(
        chain(
          () => ({ messages: [new AIMessage({ content: [IMAGE] as never })] }),
          () => ({
            messages: [{ role: 'assistant', content: [CITED, { ...IMAGE, type: 'image', data: PNG }] }],
          }),
          () => ({
            messages: [
              { role: 'ai', content: [{ type: 'image_url', image_url: 'https://example.com/a.png' }] },
            ],
          }),
        ),
      ),
    );
    const { parts } = await answer(stack);
    expect(simply(parts)).toEqual(['image/png', 'Look: ', 'Dots', 'image/png', 'https://example.com/a.png']);
  });

  it('says nothing twice that a later node hands on, and takes back what it removes', async () => {
    const stack = await stackWith(
      graphAgent(
        chain(
          () => ({ messages: [new AIMessage({ id: 'drawn', content: [IMAGE] as never })] }),
          ({ messages }) => ({ messages }),
          () => ({ messages: [new AIMessage({ id: 'drawn', content: 'Withdrawn.' })] }),
        ),
      ),
    );
    const { parts, log } = await answer(stack);
    expect(simply(parts)).toEqual(['Withdrawn.']);
    expect(log.filter(({ event }) => event.type === 'file')).toHaveLength(1);
  });

  it('tells of a file that is too large, and of one that only its author can reach', async () => {
    const large = { ...IMAGE, data: Buffer.alloc(11 * 1024 * 1024).toString('base64') };
    const far = { type: 'file', url: 'gs://bucket/a.pdf', mimeType: 'application/pdf' };
    const stack = await stackWith(
      graphAgent(chain(() => ({ messages: [new AIMessage({ content: [large, far] as never })] }))),
    );
    expect(simply((await answer(stack)).parts)).toEqual(['too-large', 'unreachable']);
  });

  it.each([true, false])('gives people the images of a tool that is shown: %s', async (isShown) => {
    const draw = tool(() => [{ type: 'text', text: 'A dot' }, IMAGE], {
      name: 'draw',
      description: 'Draws.',
      schema: z.object({}),
    });
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Done.'] }
        : { calls: [{ id: 'c1', name: 'draw', args: '{}' }] },
    );
    const stack = await stackWith(
      graphAgent(createAgent({ model, tools: [draw] }), { exposeTools: isShown }),
    );
    const { parts } = await answer(stack);
    expect(simply(parts)).toEqual(isShown ? ['tool', 'image/png', 'Done.'] : ['tool', 'Done.']);
    const shown = parts.find(({ kind }) => kind === 'tool');
    const { fileId } = parts.find(isFile) ?? {};
    if (isShown)
      expect(shown).toMatchObject({
        output: [
          { type: 'text', text: 'A dot' },
          { type: 'file', mediaType: 'image/png', fileId },
        ],
      });
    else expect(shown).not.toHaveProperty('output');
  });

  it('shows what a node of a called agent says without a model, if its tool is shown', async () => {
    const inner = chain(() => ({ messages: [new AIMessage('Inner words.')] })).compile() as {
      invoke(input: object): Promise<{ messages: BaseMessage[] }>;
    };
    const ask = tool(async () => (await inner.invoke({ messages: [] })).messages.at(-1)?.text, {
      name: 'ask',
      description: 'Asks.',
      schema: z.object({}),
    });
    const model = scripted((messages) =>
      findToolMessages(messages).length > 0
        ? { chunks: ['Done.'] }
        : { calls: [{ id: 'c1', name: 'ask', args: '{}' }] },
    );
    for (const exposeTools of [true, false]) {
      const stack = await stackWith(graphAgent(createAgent({ model, tools: [ask] }), { exposeTools }));
      const { parts } = await answer(stack);
      expect(simply(parts)).toEqual(exposeTools ? ['tool', 'Inner words.', 'Done.'] : ['tool', 'Done.']);
      if (exposeTools) expect(parts[1]).toMatchObject({ subagent: { toolCallId: 'c1' } });
    }
  });
});
