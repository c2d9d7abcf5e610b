import type { BaseMessage } from '@langchain/core/messages';

/** A file that came with a message, as the model got it. */
export interface DemoFile {
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
}

/** Returns the files of a message, with the size of what has arrived. */
export function readDemoFiles(message: BaseMessage | undefined): DemoFile[] {
  if (!Array.isArray(message?.content)) return [];
  return message.content.flatMap((block) => {
    const { type, text, data, mimeType, metadata } = block as Readonly<Record<string, unknown>>;
    if (type === 'text') return readTextFile(String(text));
    if (typeof data !== 'string') return [];
    const { filename = 'file' } = (metadata ?? {}) as { readonly filename?: string };
    return [{ name: filename, mediaType: String(mimeType), bytes: Buffer.from(data, 'base64').byteLength }];
  });
}

/** Returns what a person says in a message, without the text of its files. */
export function readQuestion({ content }: BaseMessage): string {
  if (typeof content === 'string') return content;
  const texts = content.flatMap(({ type, text }) => (type === 'text' ? [String(text)] : []));
  return texts.filter((text) => readTextFile(text).length === 0).join('\n');
}

/** Text files are text by the time they get here. */
function readTextFile(text: string): DemoFile[] {
  const [, name, content = ''] = /^<file name=("[^\n]*")>\n([\s\S]*)\n<\/file>$/.exec(text) ?? [];
  if (name === undefined) return [];
  return [{ name: String(JSON.parse(name)), mediaType: 'text/plain', bytes: Buffer.byteLength(content) }];
}

/** Returns what the demo model has to say of the files. */
export function writeFiles(files: readonly DemoFile[]): string[] {
  if (files.length === 0) return [];
  const lines = files.map(
    ({ name, mediaType, bytes }) => `- ${name} (${mediaType}, ${bytes.toLocaleString('en')} bytes)`,
  );
  return [['I received these files, but I cannot read them:', '', ...lines].join('\n')];
}
