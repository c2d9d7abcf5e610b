import { z } from 'zod';
import type { GivenFile } from '../../streams/given-files.js';

// Parts of a message, as Chat Completions and Responses have them.

export const textPartSchema = z.looseObject({
  type: z.enum(['text', 'input_text', 'output_text']),
  text: z.string(),
});

const optional = z.string().nullish();

export const filePartSchemas = [
  z.looseObject({ type: z.literal('image_url'), image_url: z.looseObject({ url: z.string() }) }),
  z.looseObject({
    type: z.literal('input_audio'),
    input_audio: z.looseObject({ data: z.string(), format: z.string().max(16) }),
  }),
  z.looseObject({
    type: z.literal('file'),
    file: z.looseObject({ file_data: optional, file_id: optional, filename: optional }),
  }),
  z.looseObject({ type: z.literal('input_image'), image_url: optional, file_id: optional }),
  z.looseObject({
    type: z.literal('input_file'),
    file_data: optional,
    file_id: optional,
    file_url: optional,
    filename: optional,
  }),
] as const;

type Part = z.output<typeof textPartSchema> | z.output<(typeof filePartSchemas)[number]>;

/** Returns the file of a part; nothing for text. */
export function toGivenFile(part: Part): GivenFile[] {
  switch (part.type) {
    case 'image_url':
      return [{ url: part.image_url.url }];
    case 'input_audio': {
      const { data, format } = part.input_audio;
      return [{ data, mediaType: `audio/${format}` }];
    }
    case 'file':
      return [readFile(part.file)];
    case 'input_image':
      return [readFile({ file_url: part.image_url, file_id: part.file_id })];
    case 'input_file':
      return [readFile(part)];
    default:
      return [];
  }
}

interface FileFields {
  readonly file_data?: string | null | undefined;
  readonly file_id?: string | null | undefined;
  readonly file_url?: string | null | undefined;
  readonly filename?: string | null | undefined;
}

function readFile({ file_data, file_id, file_url, filename }: FileFields): GivenFile {
  return {
    data: file_data ?? undefined,
    fileId: file_id ?? undefined,
    url: file_url ?? undefined,
    name: filename ?? undefined,
  };
}
