import { createMiddleware, type AgentMiddleware } from 'langchain';
import { isInRanges } from '../../events/media-range.js';
import { acceptedBy, mayRead } from './accepted-files.js';
import { getActiveRun } from './active-run.js';
import { ByteSlots } from '../../byte-slots.js';
import { countFileBytes, resolveFiles } from './resolve-files.js';

/** Bytes of files in all model calls of this process. A request has each about three times: as bytes, as base64, and as JSON. */
const slots = new ByteSlots(128 * 1024 * 1024);

/**
 * Gives the model of a LangChain agent the files of messages. A graph's state has only their ids. Place it last in `middleware`, so that nothing else
 * gets the bytes.
 *
 * @param accepts media types, and ranges of them, that the model takes. Default: by what LangChain knows of it
 */
export function fileMiddleware(accepts?: readonly string[]): AgentMiddleware {
  return createMiddleware({
    name: 'AgentStreamFiles',
    wrapModelCall: async (request, handler) => {
      const { model, messages, runtime } = request;
      const types = accepts ?? acceptedBy(model);
      const takes = (mediaType: string) => isInRanges(types, mediaType) && mayRead(model, mediaType);
      const { configurable } = runtime as { readonly configurable?: Record<string, unknown> };
      const run = getActiveRun({ configurable: configurable ?? {} })?.run;
      const maxBytes = countFileBytes(messages);
      const release = await slots.enter(maxBytes, run?.signal);
      try {
        const resolved = await resolveFiles(messages, { readFile: run?.readFile, takes, maxBytes });
        return await handler(resolved === messages ? request : { ...request, messages: [...resolved] });
      } finally {
        release();
      }
    },
  });
}
