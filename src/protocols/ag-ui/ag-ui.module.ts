import type { Protocol } from '../protocol.module.js';
import { AgUiController } from './ag-ui.controller.js';
import { AgUiRuns } from './ag-ui-run.service.js';
import { AgUiStream } from './ag-ui-stream.js';
import { CopilotKitController } from './copilotkit.controller.js';

class AgUiModule {}

/** AG-UI, and the paths of CopilotKit's runtime. */
export const agUi: Protocol = {
  module: AgUiModule,
  path: 'ag-ui',
  routes: () => [
    { path: '', controller: AgUiController },
    { path: 'copilotkit', controller: CopilotKitController },
  ],
  providers: [AgUiRuns, AgUiStream],
};
