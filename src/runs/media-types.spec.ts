import { describe, expect, it } from '@jest/globals';
import { detectMediaType, readMediaType } from './media-types.js';

const bytes = (latin1: string) => Buffer.from(latin1, 'latin1');

describe('detectMediaType', () => {
  it.each([
    ['\x89PNG\r\n\x1a\n....', 'image/png'],
    ['\xff\xd8\xff\xe0', 'image/jpeg'],
    ['GIF89a', 'image/gif'],
    ['RIFF\0\0\0\0WEBP', 'image/webp'],
    ['RIFF\0\0\0\0WAVE', 'audio/wav'],
    ['\0\0\0\x20ftyp....', 'video/mp4'],
    ['%PDF-1.7', 'application/pdf'],
  ])('knows %j', (head, mediaType) => {
    expect(detectMediaType(bytes(head), 'text/html')).toBe(mediaType);
  });

  it('believes what is declared only of text', () => {
    expect(detectMediaType(bytes('a,b'), 'text/csv; charset=utf-8')).toBe('text/csv');
    expect(detectMediaType(bytes('{}'), 'application/json')).toBe('application/json');
    expect(detectMediaType(bytes('a,b'), 'image/png')).toBe('application/octet-stream');
    expect(detectMediaType(bytes('a\0b'), 'text/plain')).toBe('application/octet-stream');
    expect(detectMediaType(bytes('\xff\xfe'), 'text/plain')).toBe('application/octet-stream');
    expect(detectMediaType(bytes('a,b'))).toBe('application/octet-stream');
  });

  it('takes no declared type that is none', () => {
    expect(readMediaType('IMAGE/PNG; q=1')).toBe('image/png');
    for (const none of [undefined, '', 'png', 'image/png"><script>'])
      expect(readMediaType(none)).toBe('application/octet-stream');
  });
});
