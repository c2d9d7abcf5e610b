import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AppError, type ErrorCode } from '../../errors.js';
import { rawResponse, type WebResponse } from '../../http/web.exchange.js';

/** A call's id, which its answer repeats. */
export type JsonRpcId = string | number | null;

/** JSON-RPC 2.0's codes, and A2A's own (specification, section 9.5). */
export const RPC_ERRORS = {
  INVALID_REQUEST: -32600,
  METHOD_NOT_FOUND: -32601,
  INVALID_PARAMS: -32602,
  INTERNAL: -32603,
  TASK_NOT_FOUND: -32001,
  TASK_NOT_CANCELABLE: -32002,
  UNSUPPORTED_OPERATION: -32004,
  VERSION_NOT_SUPPORTED: -32009,
} as const;

/** A refusal in JSON-RPC's words. */
export class RpcError extends Error {
  constructor(
    readonly code: keyof typeof RPC_ERRORS,
    message: string,
  ) {
    super(message);
  }
}

/** Thrown by a guard to answer a call that is no stream: the route behind it only streams. */
export class RpcAnswer extends Error {
  constructor(readonly body: object) {
    super('answered');
  }

  static result(id: JsonRpcId, result: unknown): RpcAnswer {
    return new RpcAnswer({ jsonrpc: '2.0', id, result });
  }

  /** @throws the error itself when it is none that a caller may see */
  static refusal(id: JsonRpcId, error: unknown): RpcAnswer {
    const { code, message } = toRpcError(error);
    return new RpcAnswer({ jsonrpc: '2.0', id, error: { code: RPC_ERRORS[code], message } });
  }
}

/** Answers with what the guard has thrown. JSON-RPC's errors are answers too: HTTP has nothing to complain about. */
@Catch(RpcAnswer)
export class RpcAnswerFilter implements ExceptionFilter<RpcAnswer> {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch({ body }: RpcAnswer, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<WebResponse>();
    const { httpAdapter: http } = this.adapterHost;
    // Whoever asked may have left while the answer was made.
    if (http.isHeadersSent(response) || rawResponse(response).destroyed) return;
    http.reply(response, body, 200);
  }
}

const CODES: Partial<Record<ErrorCode, keyof typeof RPC_ERRORS>> = {
  REQUEST_INVALID: 'INVALID_PARAMS',
  REQUEST_TOO_LARGE: 'INVALID_PARAMS',
  NOT_FOUND: 'TASK_NOT_FOUND',
  AGENT_UNKNOWN: 'INVALID_PARAMS',
  THREAD_BUSY: 'UNSUPPORTED_OPERATION',
  APPROVAL_PENDING: 'UNSUPPORTED_OPERATION',
  APPROVAL_CLOSED: 'UNSUPPORTED_OPERATION',
  IDEMPOTENCY_CONFLICT: 'INVALID_PARAMS',
};

function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof AppError) return new RpcError(CODES[error.code] ?? 'INTERNAL', error.message);
  throw error;
}
