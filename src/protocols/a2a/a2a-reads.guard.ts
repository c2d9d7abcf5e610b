import { Injectable, type ExecutionContext } from '@nestjs/common';
import type { WebRequest } from '../../http/http.types.js';
import { StreamReadsGuard } from '../../throttling/reads.guard.js';
import { parseMethod } from './a2a-v03.js';

/** The methods that wait for nothing but what is stored. */
const READS: ReadonlySet<string> = new Set(['GetTask', 'ListTasks', 'SubscribeToTask']);

/** Lets the calls that only read wait for their turn. Those that wait for a run to end have no place, or they would keep it. */
@Injectable()
export class A2aReadsGuard extends StreamReadsGuard {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const { body } = context.switchToHttp().getRequest<WebRequest>();
    const name = (body as { method?: unknown } | undefined)?.method;
    const reads = typeof name === 'string' && READS.has(parseMethod(name).method ?? '');
    return reads ? super.canActivate(context) : true;
  }
}
