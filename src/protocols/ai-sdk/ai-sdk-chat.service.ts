import { Injectable } from '@nestjs/common';
import { getAuthentication } from '../../auth/authentication.js';
import { validate } from '../../http/validate.js';
import type { WebRequest } from '../../http/http.types.js';
import type { Principal } from '../../principal.js';
import { EventLog } from '../../runs/event-log.js';
import type { Run } from '../../runs/run.js';
import { readInto } from '../../runs/read-log.js';
import { FileAddresses } from '../../streams/file-addresses.js';
import { MessageRuns } from '../message-runs.js';
import type { ProtocolMapper } from '../protocol.mapper.js';
import { ThreadInputs } from '../thread-inputs.js';
import { ThreadRuns, type ProtocolStart } from '../thread-runs.js';
import type { AiSdkChunk } from './ai-sdk-chunks.js';
import { askSchema, isNamed } from './ai-sdk.dto.js';
import { createAiSdkMapper } from './ai-sdk.mapper.js';
import { SupersededOutput, withEarlierRuns, withoutContent, dropSuperseded } from './ai-sdk-replay.js';

/** A run, and how its client is to be shown it: from the first event, because it rebuilds the message from its `start`. */
export interface AiSdkView {
  readonly run: Run;
  readonly mapper: ProtocolMapper<AiSdkChunk>;
}

/** Chats of the AI SDK: what a transport asks for, and the run that it comes back to. */
@Injectable()
export class AiSdkChats {
  constructor(
    private readonly runs: ThreadRuns,
    private readonly inputs: ThreadInputs,
    private readonly messages: MessageRuns,
    private readonly log: EventLog,
    private readonly files: FileAddresses,
  ) {}

  /**
   * Starts the run that a chat's transport asks for, or gives its answers to approvals.
   *
   * @throws AppError REQUEST_INVALID, and what {@link ThreadRuns.start} and {@link ThreadInputs.answer} refuse
   */
  async ask(request: WebRequest): Promise<AiSdkView> {
    const body = validate(askSchema, request.body, 'body');
    const { toAddress } = this.files;
    const { principal } = getAuthentication(request);
    if ('message' in body) {
      const { renewed, files, ...start } = body;
      const place = await this.findPlace(principal, start.threadId, renewed);
      // What is asked again has its own.
      const isSame = place.replaces !== undefined && renewed.isRegenerated;
      const run = await this.runs.start(request, { ...start, ...(!isSame && { files }), ...place });
      return { run, mapper: createAiSdkMapper([], toAddress) };
    }
    const { run, continuedBy } = await this.inputs.answer(principal, body.threadId, body.answers);
    if (continuedBy) return { run: continuedBy, mapper: createAiSdkMapper(run.inputs, toAddress) };
    return { run, mapper: withoutContent(createAiSdkMapper()) };
  }

  /**
   * Finds the run that goes on in a chat. Undefined when there is none, which leaves the client's chat as it is.
   *
   * @param after the run that the client has seen to the end: one that has ended since is found, too
   */
  async resume(principal: Principal, chatId: string, after: unknown): Promise<AiSdkView | undefined> {
    const run = await this.find(principal, chatId, after);
    if (!run) return undefined;
    const earlier = await this.messages.earlier(run);
    const { toAddress } = this.files;
    const own = createAiSdkMapper(earlier.at(-1)?.run.inputs, toAddress);
    const mapper = withEarlierRuns(own, earlier, toAddress);
    const takenBack = await readInto(this.log, run.id, () => new SupersededOutput(run.lastSeq));
    return { run, mapper: dropSuperseded(mapper, takenBack) };
  }

  /** Starts a run in the place of a message that the chat already has. An unknown message is a new one. */
  private async findPlace(
    principal: Principal,
    threadId: string,
    {
      messageId,
      isRegenerated,
    }: { readonly messageId?: string | null | undefined; readonly isRegenerated: boolean },
  ): Promise<Partial<ProtocolStart>> {
    if (!messageId && !isRegenerated) return {};
    const run = await this.findNamed(principal, threadId, messageId);
    if (!run) return {};
    return { replaces: run.id, ...(isRegenerated && { message: '' }) };
  }

  /** Finds the first version of a message; without an id, the newest run. */
  private async findNamed(
    principal: Principal,
    threadId: string,
    messageId: string | null | undefined,
  ): Promise<Run | undefined> {
    let found: Run | undefined;
    for await (const run of this.messages.readNewest(principal, threadId)) {
      if (!messageId) return run;
      if (isNamed(run, messageId)) found = run;
    }
    return found;
  }

  private async find(principal: Principal, chatId: string, after: unknown): Promise<Run | undefined> {
    const active = await this.runs.active(principal, chatId);
    if (active || after === undefined) return active;
    const last = await this.runs.last(principal, chatId);
    return last?.id === after ? undefined : last;
  }
}
