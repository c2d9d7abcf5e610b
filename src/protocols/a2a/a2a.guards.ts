import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { authOf } from '../../auth/authentication.js';
import { attachReader } from '../../chat/run-reader.js';
import { startOf } from '../../events/cursor.js';
import { validate } from '../../http/validate.js';
import type { WebRequest, WebResponse } from '../../http/web.exchange.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunStartThrottlerGuard } from '../../throttling/run-start.throttler.guard.js';
import type { A2aTask } from './a2a.events.js';
import { callSchema, isInAHurry, sendSchema, taskIdSchema, type Call } from './a2a.input.js';
import { A2aTaskLists, listSchema } from './a2a.list.js';
import type { A2aMapper } from './a2a.mapper.js';
import { A2aTasks } from './a2a.tasks.js';
import { methodOf, toV03, type A2aVersion } from './a2a.v03.js';
import { RpcAnswer, RpcError } from './json-rpc.js';

const MAPPER = Symbol('a2a-mapper');

/** For the handler: what its guard has made, because what was said before in the task has to be read. */
interface MappedRequest extends WebRequest {
  [MAPPER]?: A2aMapper;
}

export function mapperOf(request: MappedRequest): A2aMapper {
  const mapper = request[MAPPER];
  if (!mapper) throw new Error('This route has no guard that finds its run: bind A2aCallGuard.');
  return mapper;
}

/** Counts the calls that start a task; who asks how a task stands is not counted. */
@Injectable()
export class A2aStartThrottlerGuard extends RunStartThrottlerGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const { body } = context.switchToHttp().getRequest<WebRequest>();
    const { method } = methodOf(String((body as { method?: unknown } | undefined)?.method));
    const starts = method === 'SendMessage' || method === 'SendStreamingMessage';
    return starts ? super.canActivate(context) : true;
  }
}

/**
 * Executes the call. Those that are answered with JSON end here, by an {@link RpcAnswer}; those that are answered with a stream
 * have their run found or started here, and everything that can be refused is refused before it.
 */
@Injectable()
export class A2aCallGuard implements CanActivate {
  constructor(
    private readonly tasks: A2aTasks,
    private readonly lists: A2aTaskLists,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<MappedRequest>();
    const response = context.switchToHttp().getResponse<WebResponse>();
    const parsed = callSchema.safeParse(request.body);
    if (!parsed.success)
      throw RpcAnswer.refusal(null, new RpcError('INVALID_REQUEST', 'This is no JSON-RPC 2.0 call.'));
    const call = parsed.data;
    let run: Run;
    try {
      run = await this.runOf(request, call);
    } catch (error) {
      throw error instanceof RpcAnswer ? error : RpcAnswer.refusal(call.id, error);
    }
    request[MAPPER] = await this.tasks.mapperOf(run);
    attachReader(request, { run, cursor: startOf(run.id), response });
    return true;
  }

  /** The run that is to be streamed. @throws RpcAnswer what is answered at once; RpcError, AppError */
  private async runOf(request: WebRequest, { id, method: name, params }: Call): Promise<Run> {
    const { principal } = authOf(request);
    const { method, version } = methodOf(name);
    checkVersion(request.headers['a2a-version'], version);
    const answer = (result: unknown) => RpcAnswer.result(id, result);
    const bare = (task: A2aTask) => answer(version === '1.0' ? task : toV03({ task }));
    const taskId = () => validate(taskIdSchema, params, 'params').id;
    switch (method) {
      case 'SendStreamingMessage':
        return this.tasks.send(principal, validate(sendSchema, params, 'params'));
      case 'SubscribeToTask': {
        const run = await this.tasks.find(principal, taskId());
        if (hasEnded(run)) throw new RpcError('UNSUPPORTED_OPERATION', `Task '${taskId()}' has ended.`);
        return run;
      }
      case 'SendMessage': {
        const send = validate(sendSchema, params, 'params');
        const run = await this.tasks.send(principal, send);
        const task = isInAHurry(send) ? await this.tasks.read(run) : await this.tasks.finished(run);
        throw version === '1.0' ? answer({ task }) : bare(task);
      }
      case 'GetTask':
        throw bare(await this.tasks.read(await this.tasks.find(principal, taskId())));
      case 'CancelTask':
        throw bare(await this.tasks.cancel(principal, taskId()));
      case 'ListTasks':
        throw answer(await this.lists.list(principal, validate(listSchema, params ?? {}, 'params')));
      default:
        throw new RpcError('METHOD_NOT_FOUND', `There is no method '${name}' here.`);
    }
  }
}

const VERSIONS: Record<A2aVersion, RegExp> = { '1.0': /^1(\.|$)/, '0.3': /^0\.3(\.|$)/ };

/** What the caller says of its version has to go with the words that it uses. Callers of 0.3 need not say anything. */
function checkVersion(said: string | string[] | undefined, spoken: A2aVersion): void {
  if (!said || VERSIONS[spoken].test(String(said))) return;
  throw new RpcError(
    'VERSION_NOT_SUPPORTED',
    `This is a method of version ${spoken}, not of '${String(said)}'.`,
  );
}
