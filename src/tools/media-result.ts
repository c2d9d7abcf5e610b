/** A picture that a tool gives to the model. */
export interface ToolImage {
  /** Such as `image/png`. */
  readonly mimeType: string;
  /** Base64. */
  readonly data: string;
}

/** A tool's result for the model that is more than text. People and the log get the words alone. */
export class MediaResult {
  /** @param words the result without the images, with a note where each of them was */
  constructor(
    readonly words: unknown,
    readonly images: readonly ToolImage[],
  ) {}
}
