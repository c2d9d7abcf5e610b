import { describe, expect, it } from '@jest/globals';
import { toMessageFile, type GivenFile } from './given-files.js';

const PATH = '/api/chat/files';
const HI = Buffer.from('hi');

describe('toMessageFile', () => {
  it.each<[string, GivenFile, object]>([
    [
      'base64',
      { data: 'aGk=', name: 'a.txt', mediaType: 'text/plain' },
      { data: HI, name: 'a.txt', mediaType: 'text/plain' },
    ],
    [
      'a data: URL in place of base64',
      { data: 'data:text/plain;base64,aGk=' },
      { data: HI, mediaType: 'text/plain' },
    ],
    ['a data: URL', { url: 'data:image/png;base64,aGk=' }, { data: HI, mediaType: 'image/png' }],
    [
      'a data: URL with parameters',
      { url: 'data:text/plain;charset=utf-8;base64,aGk=' },
      { data: HI, mediaType: 'text/plain' },
    ],
    ['a data: URL of text', { url: 'data:,h%69' }, { data: HI }],
    [
      'a declared type before that of the data: URL',
      { url: 'data:a/b;base64,aGk=', mediaType: 'text/csv' },
      { data: HI, mediaType: 'text/csv' },
    ],
    ['the path of an upload', { url: '/api/chat/files/f-1', mediaType: 'image/png' }, { fileId: 'f-1' }],
    ['an id', { fileId: 'f-1', name: 'a' }, { fileId: 'f-1' }],
    [
      'a URL elsewhere',
      { url: 'https://example.com/api/chat/files/f-1' },
      { url: 'https://example.com/api/chat/files/f-1' },
    ],
    [
      'a URL beside the files',
      { url: 'https://example.com/a.png', name: 'a' },
      { url: 'https://example.com/a.png', name: 'a' },
    ],
  ])('reads %s', (_, given, file) => {
    expect(toMessageFile(given, PATH)).toEqual(file);
  });

  it('reads the URL by which this server names its files', () => {
    const base = 'https://chat.example.com/api/chat/files';
    expect(toMessageFile({ url: `${base}/f-1` }, base)).toEqual({ fileId: 'f-1' });
    expect(toMessageFile({ url: '/api/chat/files/f-1' }, base)).toEqual({ fileId: 'f-1' });
  });

  it.each<[string, GivenFile]>([
    ['nothing', {}],
    ['what is no base64', { data: 'no base64!' }],
    ['half a data: URL', { url: 'data:image/png;base64' }],
    ['broken text in a data: URL', { url: 'data:,%zz' }],
    ['another scheme', { url: 'file:///etc/passwd' }],
    ['a path that is not of a file', { url: '/etc/passwd' }],
    ['a network path', { url: '//example.com/api/chat/files/f-1' }],
  ])('refuses %s', (_, given) => {
    expect(() => toMessageFile(given, PATH)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});
