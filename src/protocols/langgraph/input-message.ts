import { z } from 'zod';
import { idSchema } from '../../streams/start-run.schemas.js';

/** The message that a run answers: the last one of the input, which has to be a person's. */
const plainMessage = z.looseObject({
  id: idSchema.nullish(),
  type: z.string().optional(),
  role: z.string().optional(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]),
});

/** An instance of LangChain's classes, as JSON writes it. */
const serializedMessage = z
  .looseObject({
    lc: z.literal(1),
    type: z.literal('constructor'),
    id: z.array(z.string()).min(1),
    kwargs: z.looseObject({}),
  })
  .transform(({ id, kwargs }): unknown => {
    const [name = ''] = id.slice(-1);
    return { ...kwargs, type: name.replace(/Message(Chunk)?$/, '').toLowerCase() };
  })
  .pipe(plainMessage);

/** LangChain takes a text for a person's message. */
const textMessage = z
  .string()
  .transform((content): unknown => ({ type: 'human', content }))
  .pipe(plainMessage);

export const inputMessage = z.union([textMessage, serializedMessage, plainMessage]);
