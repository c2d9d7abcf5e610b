import { Injectable } from '@nestjs/common';
import { validate } from '../../http/validate.js';
import type { Principal } from '../../principal.js';
import { hasEnded, type Run } from '../../runs/run.js';
import type { A2aTask } from './a2a-events.js';
import { returnsImmediately, sendSchema, taskIdSchema, type Call } from './a2a-input.js';
import { A2aTaskLists, listSchema } from './a2a.list.js';
import { A2aTasks } from './a2a-tasks.js';
import { parseMethod, toV03, type A2aVersion } from './a2a-v03.js';
import { RpcError } from './json-rpc.js';

/** A call that was executed: its result, or the run whose stream is the reply. */
export type A2aReply = { readonly result: unknown } | { readonly run: Run };

/** Executes A2A's methods, in the names of either version. */
@Injectable()
export class A2aCalls {
  constructor(
    private readonly tasks: A2aTasks,
    private readonly lists: A2aTaskLists,
  ) {}

  /**
   * @param saidVersion the caller's `A2A-Version` header
   * @throws RpcError, AppError
   */
  async execute(
    principal: Principal,
    { method: name, params }: Call,
    saidVersion: string | string[] | undefined,
  ): Promise<A2aReply> {
    const { method, version } = parseMethod(name);
    checkVersion(saidVersion, version);
    const bare = (task: A2aTask) => ({ result: version === '1.0' ? task : toV03({ task }) });
    const taskId = () => validate(taskIdSchema, params, 'params').id;
    switch (method) {
      case 'SendStreamingMessage':
        return { run: await this.tasks.send(principal, validate(sendSchema, params, 'params')) };
      case 'SubscribeToTask': {
        const run = await this.tasks.find(principal, taskId());
        if (hasEnded(run)) throw new RpcError('UNSUPPORTED_OPERATION', `Task '${taskId()}' has ended.`);
        return { run };
      }
      case 'SendMessage': {
        const send = validate(sendSchema, params, 'params');
        const run = await this.tasks.send(principal, send);
        const task = returnsImmediately(send) ? await this.tasks.read(run) : await this.tasks.finished(run);
        return version === '1.0' ? { result: { task } } : bare(task);
      }
      case 'GetTask':
        return bare(await this.tasks.read(await this.tasks.find(principal, taskId())));
      case 'CancelTask':
        return bare(await this.tasks.cancel(principal, taskId()));
      case 'ListTasks':
        return { result: await this.lists.list(principal, validate(listSchema, params ?? {}, 'params')) };
      default:
        throw new RpcError('METHOD_NOT_FOUND', `There is no method '${name}' here.`);
    }
  }
}

const VERSIONS: Record<A2aVersion, RegExp> = { '1.0': /^1(\.|$)/, '0.3': /^0\.3(\.|$)/ };

/** Refuses a caller whose header names another version than its words. Callers of 0.3 need not send the header. */
function checkVersion(version: string | string[] | undefined, spoken: A2aVersion): void {
  if (!version || VERSIONS[spoken].test(String(version))) return;
  throw new RpcError(
    'VERSION_NOT_SUPPORTED',
    `This is a method of version ${spoken}, not of '${String(version)}'.`,
  );
}
