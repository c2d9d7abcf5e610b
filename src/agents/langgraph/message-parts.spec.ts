import { describe, expect, it } from '@jest/globals';
import { readParts } from './message-parts.js';

const DATA = 'iVBORw0KGgo=';
const URL = 'https://example.com/a.png';

describe('readParts', () => {
  it.each([
    ['LangChain 1.0', { type: 'image', mimeType: 'image/png', data: DATA }],
    ['LangChain 0.3', { type: 'image', source_type: 'base64', mime_type: 'image/png', data: DATA }],
    ['Anthropic', { type: 'image', source: { type: 'base64', media_type: 'image/png', data: DATA } }],
    ['Google', { type: 'inlineData', inlineData: { mimeType: 'image/png', data: DATA } }],
    ['Google without a type', { inlineData: { mimeType: 'image/png', data: DATA } }],
    ['an older package of Google', { type: 'media', mimeType: 'image/png', data: DATA }],
  ])('reads an image as %s writes it', (_who, block) => {
    expect(readParts([block])).toMatchObject([{ kind: 'file', mediaType: 'image/png', data: DATA }]);
  });

  it.each([
    ['LangChain 1.0', { type: 'image', url: URL }],
    ['LangChain 0.3', { type: 'image', source_type: 'url', url: URL }],
    ['OpenAI', { type: 'image_url', image_url: { url: URL } }],
    ['OpenAI in short', { type: 'image_url', image_url: URL }],
    ['Anthropic', { type: 'image', source: { type: 'url', url: URL } }],
    ['Google', { type: 'fileData', fileData: { mimeType: 'image/png', fileUri: URL } }],
  ])('reads the address of an image as %s writes it', (_who, block) => {
    expect(readParts([block])).toMatchObject([{ kind: 'file', url: URL }]);
  });

  it('reads images that OpenAI makes, its sounds, and documents', () => {
    const outputs = [{ type: 'image_generation_call', id: 'ig_1', status: 'completed', result: DATA }];
    expect(readParts('', { tool_outputs: outputs })).toMatchObject([
      { kind: 'file', mediaType: 'image/png', data: DATA },
    ]);
    expect(readParts('', { audio: { id: 'a', data: DATA, transcript: 'Hi' } })).toMatchObject([
      { kind: 'file', mediaType: 'audio/wav', data: DATA },
    ]);
    const file = {
      type: 'file',
      file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${DATA}` },
    };
    expect(readParts([file])).toMatchObject([
      { kind: 'file', name: 'a.pdf', data: `data:application/pdf;base64,${DATA}` },
    ]);
    const [text] = readParts([{ type: 'text-plain', text: 'Hello', title: 'note.txt' }]);
    expect(text).toMatchObject({ kind: 'file', mediaType: 'text/plain', name: 'note.txt' });
    expect(text?.kind === 'file' && String(text.data)).toBe('Hello');
  });

  it('tells of a file that only its provider has', () => {
    for (const block of [
      { type: 'image', fileId: 'file-1' },
      { type: 'file', source_type: 'id', id: 'file-1' },
      { type: 'document', source: { type: 'file', file_id: 'file-1' } },
    ])
      expect(readParts([block])).toMatchObject([{ kind: 'file', url: 'provider:file' }]);
  });

  it.each([
    ['LangChain', { annotations: [{ type: 'citation', url: URL, title: 'A', citedText: 'q' }] }],
    [
      'Anthropic',
      { citations: [{ type: 'web_search_result_location', url: URL, title: 'A', cited_text: 'q' }] },
    ],
    [
      'Anthropic of results',
      { citations: [{ type: 'search_result_location', source: URL, title: 'A', cited_text: 'q' }] },
    ],
  ])('reads a source as %s writes it', (_who, beside) => {
    expect(readParts([{ type: 'text', text: 'So.', ...beside }])).toEqual([
      { kind: 'source', url: URL, title: 'A', quote: 'q' },
    ]);
  });

  it('reads sources of OpenAI and of a search of Google, each once, and links to the web only', () => {
    const annotations = [
      { type: 'url_citation', url: URL, title: 'A', start_index: 0, end_index: 3 },
      { type: 'url_citation', url: URL, title: 'A', start_index: 9, end_index: 12 },
      { type: 'url_citation', url: 'javascript:alert(1)', title: 'B' },
      { type: 'file_citation', file_id: 'f', filename: 'a.pdf', index: 1 },
    ];
    expect(readParts([{ type: 'text', text: 'So.', annotations }])).toEqual([
      { kind: 'source', url: URL, title: 'A' },
      { kind: 'source', title: 'B' },
      { kind: 'source', title: 'a.pdf' },
    ]);
    const groundingMetadata = { groundingChunks: [{ web: { uri: URL, title: 'A' } }] };
    expect(readParts('So.', {}, { groundingMetadata })).toEqual([{ kind: 'source', url: URL, title: 'A' }]);
  });

  it('ignores blocks that are not files', () => {
    expect(readParts('Hello')).toEqual([]);
    const blocks = [
      { type: 'text', text: 'Hello' },
      { type: 'reasoning', reasoning: 'Hm.' },
      { type: 'tool_use', id: 't', name: 'file', input: { url: URL } },
      { type: 'input_json_delta', input: '{' },
      { type: 'image' },
      null,
      'text',
    ];
    expect(readParts(blocks)).toEqual([]);
  });
});
