import type { FileFacts, KeepFile } from '../events/message-part.js';

/** A picture that a tool gives to the model. */
export interface ToolImage {
  /** Such as `image/png`. */
  readonly mimeType: string;
  /** Base64. */
  readonly data: string;
}

/** A tool's result for the model that is more than text. The log gets the words, and people the images too if the tool shows all of its output. */
export class MediaResult {
  /** @param words the result without the images, with a note where each of them was */
  constructor(
    readonly words: unknown,
    readonly images: readonly ToolImage[],
  ) {}

  /** Keeps the images, for the people who see the output of the tool. */
  keepImages(keep: KeepFile | undefined): Promise<FileFacts[]> {
    return Promise.all(
      this.images.map(
        async ({ mimeType: mediaType, data }) =>
          (await keep?.({ mediaType, data })) ?? { mediaType, omitted: 'unreadable' },
      ),
    );
  }
}
