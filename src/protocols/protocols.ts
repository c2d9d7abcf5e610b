import type { DynamicModule } from '@nestjs/common';
import { a2a } from './a2a/a2a.module.js';
import { agUi } from './ag-ui/ag-ui.module.js';
import { aiSdk } from './ai-sdk/ai-sdk.module.js';
import { langGraph } from './langgraph/langgraph.module.js';
import { FoldBudget } from './fold.budget.js';
import { MessageRuns } from './message-runs.js';
import { openAi } from './openai/openai.module.js';
import { nameInstance, type Placement } from '../http/place-controller.js';
import { createProtocolModule, type Protocol } from './protocol.module.js';
import { ProtocolStreams } from './protocol-streams.js';
import { ThreadInputs } from './thread-inputs.js';
import { ThreadRuns } from './thread-runs.js';
import { ThreadTranscripts } from './transcript/thread-transcripts.js';

/** Every wire dialect that is served beside our own. To add one, add it here. */
const PROTOCOLS: readonly Protocol[] = [a2a, agUi, aiSdk, langGraph, openAi];

/** Default prefix of the protocols' paths. */
export const DEFAULT_PREFIX = 'protocols';

const SHARED = [FoldBudget, MessageRuns, ThreadInputs, ThreadRuns, ThreadTranscripts, ProtocolStreams];

/** Provides what the protocols share. */
class ProtocolsModule {}

/** Makes a module for each protocol. @param imports what runs are served with */
export function createProtocolModules(
  imports: readonly DynamicModule[],
  prefix: string,
  placed: Omit<Placement, 'instance'>,
): DynamicModule[] {
  const shared: DynamicModule = {
    module: ProtocolsModule,
    imports: [...imports],
    providers: SHARED,
    exports: SHARED,
  };
  const placement = { ...placed, instance: prefix === DEFAULT_PREFIX ? '' : nameInstance(prefix) };
  return PROTOCOLS.map((protocol) =>
    createProtocolModule(protocol, { prefix, imports: [...imports, shared], placement }),
  );
}
