import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { authOf } from '../../auth/authentication.js';
import { attachReader } from '../../chat/run-reader.js';
import { startOf } from '../../events/cursor.js';
import { validate } from '../../http/validate.js';
import type { WebRequest, WebResponse } from '../../http/web.exchange.js';
import { hasEnded, type Run } from '../../runs/run.js';
import { RunService } from '../../runs/run.service.js';
import { RunStartThrottlerGuard } from '../../throttling/run-start.throttler.guard.js';
import { callSchema, sendSchema, taskIdSchema, type Call } from './a2a.input.js';
import { A2aTasks } from './a2a.tasks.js';
import { RpcAnswer, RpcError } from './json-rpc.js';

/** Counts the calls that start a task; who asks how a task stands is not counted. */
@Injectable()
export class A2aStartThrottlerGuard extends RunStartThrottlerGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const { body } = context.switchToHttp().getRequest<WebRequest>();
    const method = (body as { method?: unknown } | undefined)?.method;
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
    private readonly runs: RunService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<WebRequest>();
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
    attachReader(request, { run, cursor: startOf(run.id), response });
    return true;
  }

  private async runOf(request: WebRequest, { id, method, params }: Call): Promise<Run> {
    const { principal } = authOf(request);
    const version = request.headers['a2a-version'];
    if (version !== undefined && !/^1(\.|$)/.test(String(version)))
      throw new RpcError('VERSION_NOT_SUPPORTED', 'Version 1.0 is spoken here.');
    switch (method) {
      case 'SendStreamingMessage':
        return this.tasks.send(principal, validate(sendSchema, params, 'params'));
      case 'SubscribeToTask': {
        const run = await this.runs.get(principal, validate(taskIdSchema, params, 'params').id);
        if (hasEnded(run)) throw new RpcError('UNSUPPORTED_OPERATION', `Task '${run.id}' has ended.`);
        return run;
      }
      case 'SendMessage': {
        const send = validate(sendSchema, params, 'params');
        const run = await this.tasks.send(principal, send);
        const task = send.configuration?.returnImmediately
          ? await this.tasks.read(run)
          : await this.tasks.finished(run);
        throw RpcAnswer.result(id, { task });
      }
      case 'GetTask': {
        const run = await this.runs.get(principal, validate(taskIdSchema, params, 'params').id);
        throw RpcAnswer.result(id, await this.tasks.read(run));
      }
      case 'CancelTask':
        throw RpcAnswer.result(
          id,
          await this.tasks.cancel(principal, validate(taskIdSchema, params, 'params').id),
        );
      default:
        throw new RpcError('METHOD_NOT_FOUND', `There is no method '${method}' here.`);
    }
  }
}
