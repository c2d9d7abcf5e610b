import { isInRanges } from '../../events/media-range.js';

/** Types that every model reads: their text becomes part of the message. */
const TEXT_TYPES = [
  'text/*',
  'application/json',
  'application/xml',
  'application/yaml',
  'application/x-ndjson',
];

const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const PDF_TYPES = ['application/pdf'];
const AUDIO_TYPES = ['audio/wav', 'audio/mpeg'];

/** LangChain's facts about a model, as far as they matter here. */
interface InputProfile {
  readonly imageInputs?: boolean;
  readonly pdfInputs?: boolean;
  readonly audioInputs?: boolean;
}

/** Returns the types of files that a model takes by what LangChain knows of it. Of a model that it does not know: text. */
export function acceptedBy(model: unknown): readonly string[] {
  const { imageInputs, pdfInputs, audioInputs } = readProfile(model);
  return [
    ...TEXT_TYPES,
    ...(imageInputs ? IMAGE_TYPES : []),
    ...(pdfInputs ? PDF_TYPES : []),
    ...(audioInputs ? AUDIO_TYPES : []),
  ];
}

/** True unless LangChain knows that the model cannot read such files. */
export function mayRead(model: unknown, mediaType: string): boolean {
  const { imageInputs, pdfInputs, audioInputs } = readProfile(model);
  if (mediaType.startsWith('image/')) return imageInputs !== false;
  if (mediaType.startsWith('audio/')) return audioInputs !== false;
  return mediaType !== 'application/pdf' || pdfInputs !== false;
}

export function isTextType(mediaType: string): boolean {
  return isInRanges(TEXT_TYPES, mediaType);
}

function readProfile(model: unknown): InputProfile {
  const { profile = {} } = (model ?? {}) as { readonly profile?: InputProfile };
  return profile;
}
