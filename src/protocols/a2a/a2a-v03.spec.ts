import { describe, expect, it } from '@jest/globals';
import { StreamResponse } from '@a2a-js/sdk';
import { legacyJsonRpcToV1Method, legacyPushNotificationToV1StreamResponse } from '@a2a-js/sdk/compat/v0_3';
import * as fc from 'fast-check';
import { runLogs } from '../../../test/harness/log-arbitrary.js';
import { A2aMapper } from './a2a.mapper.js';
import { parseMethod, toV03 } from './a2a-v03.js';

const RUN = { taskId: 'run', contextId: 'thread', question: { messageId: 'q', text: 'Go.' }, createdAt: 0 };

describe('the A2A 0.3 dialect', () => {
  it.each(['message/send', 'message/stream', 'tasks/get', 'tasks/cancel', 'tasks/resubscribe'])(
    'maps the method %s as the A2A SDK does',
    (name) => {
      expect(parseMethod(name)).toEqual({ method: legacyJsonRpcToV1Method(name), version: '0.3' });
    },
  );

  it('leaves the method names of 1.0 unchanged', () => {
    expect(parseMethod('SendMessage')).toEqual({ method: 'SendMessage', version: '1.0' });
  });

  it('writes updates of any run that the SDK reads like those of 1.0', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const mapper = new A2aMapper(RUN);
        for (const update of [...log.flatMap((recorded) => mapper.map(recorded)), { task: mapper.task }]) {
          const read = legacyPushNotificationToV1StreamResponse(structuredClone(toV03(update)));
          expect(StreamResponse.toJSON(read)).toEqual(StreamResponse.toJSON(StreamResponse.fromJSON(update)));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('marks only the last update of a run as final', () => {
    fc.assert(
      fc.property(runLogs(), (log) => {
        const mapper = new A2aMapper(RUN);
        const said = log.flatMap((recorded) => mapper.map(recorded)).map(toV03);
        const closing = said.map((update) => 'final' in update && update.final);
        expect(closing.indexOf(true)).toBe(said.length - 1);
      }),
      { numRuns: 100 },
    );
  });
});
