import { DEFAULT_START_RULES } from '../../runs/run.service.js';
import { DEFAULT_APPROVALS } from '../../tools/approval.policy.js';
import { DEFAULT_TAINT } from '../../tools/taint.policy.js';
import { boolean, hours, names, parseChoice } from './formats.js';
import { setting } from './setting.js';

export const PEOPLE = {
  title: 'Decisions of people',
  settings: {
    THREAD_BUSY: setting('chat.whenBusy', {
      format: parseChoice('reject', 'queue'),
      default: DEFAULT_START_RULES.whenBusy,
      example: 'queue',
      effect: 'A message for a thread with an active run is rejected (`reject`, 409), or waits (`queue`).',
      details: 'The 409 contains the id of the active run.',
    }),
    STEERING: setting('chat.steering', {
      format: boolean(),
      default: true,
      example: 'false',
      effect:
        'Lets people send messages to a run that is under way. The run takes them before its next step.',
      details: 'If it is false, such a message gets 409 `RUN_CLOSED`, and waits for the end of the run.',
      isAboutSecurity: false,
    }),
    THREAD_TITLES: setting('chat.titles', {
      format: parseChoice('first-line', 'model'),
      default: 'first-line',
      example: 'model',
      effect:
        'Gives a thread the first line of its first message as its title (`first-line`), or a few words by the model of its agent after the first answer (`model`).',
      details:
        'The model is asked once for each new thread, outside of the run, for at most 20 s. Its tokens are [charged](../production/costs.md#what-is-counted) to the owner of the thread, beside the runs. A name that a person gave stays. Graphs of `AGENTS` keep the first line.',
      isAboutSecurity: false,
    }),
    THREAD_AWAITING: setting('chat.approvals.whenAwaiting', {
      format: parseChoice('deny', 'reject'),
      default: DEFAULT_START_RULES.whenAwaiting,
      example: 'reject',
      effect:
        'If a new message comes while the thread waits for input: `deny` closes the open inputs, and denies calls that wait; `reject` refuses the message (409).',
    }),
    APPROVAL_TOOLS: setting('chat.approvals.tools', {
      format: names(),
      default: DEFAULT_APPROVALS.tools,
      example: 'http_fetch,web_search',
      effect: 'Calls of these tools wait until the owner of the run approves, edits or denies them.',
      details: 'An unknown name prevents the start.',
    }),
    APPROVAL_HOURS: setting('chat.approvals.expiresInMs', {
      format: hours(1, 87_600),
      default: DEFAULT_APPROVALS.expiresInMs,
      example: '24',
      effect: 'Closes an input that has waited this long without an answer. A call is then denied.',
      details:
        'The agent then continues, and says so; a graph that called `interrupt` fails with `INPUT_EXPIRED`.',
    }),
    TAINTED_RUNS: setting('chat.tainted.rule', {
      format: parseChoice('ask', 'allow', 'deny'),
      default: DEFAULT_TAINT.rule,
      example: 'deny',
      effect:
        'Decides about calls with outside effects, once the conversation has read text of strangers: `ask` a person, `deny` the call, or `allow` it.',
      details:
        'The same applies to calls that send data to a host that neither the person nor `FETCH_ALLOWED_HOSTS` has named. See [security](../security.md#prompt-injection).',
    }),
    FOREIGN_TOOLS: setting('chat.tainted.foreignTools', {
      format: names(),
      default: DEFAULT_TAINT.foreignTools,
      example: 'data_lookup,knowledge_search',
      effect: 'Further tools that read text of strangers.',
      details:
        '`web_search`, `http_fetch` and the tools of MCP servers are included. Name other tools whose results strangers write, also tools of your own graph.',
    }),
  },
} as const;
