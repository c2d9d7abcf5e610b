import { AppError, type ErrorCode } from '../../errors.js';

/** A call's id, which its reply repeats. */
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
  CONTENT_TYPE_NOT_SUPPORTED: -32005,
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

/** Makes the reply to a call that was executed. */
export function toRpcResult(id: JsonRpcId, result: unknown): object {
  return { jsonrpc: '2.0', id, result };
}

/**
 * Makes the reply to a call that was refused. HTTP has nothing to complain about: its status is 200.
 *
 * @throws the error itself when it is none that a caller may see
 */
export function toRpcRefusal(id: JsonRpcId, error: unknown): object {
  const { code, message } = toRpcError(error);
  return { jsonrpc: '2.0', id, error: { code: RPC_ERRORS[code], message } };
}

const CODES: Partial<Record<ErrorCode, keyof typeof RPC_ERRORS>> = {
  REQUEST_INVALID: 'INVALID_PARAMS',
  REQUEST_TOO_LARGE: 'INVALID_PARAMS',
  FILE_REFUSED: 'CONTENT_TYPE_NOT_SUPPORTED',
  FILE_NOT_ACCEPTED: 'CONTENT_TYPE_NOT_SUPPORTED',
  FILES_FULL: 'INVALID_PARAMS',
  NOT_FOUND: 'TASK_NOT_FOUND',
  AGENT_UNKNOWN: 'INVALID_PARAMS',
  THREAD_BUSY: 'UNSUPPORTED_OPERATION',
  INPUT_PENDING: 'UNSUPPORTED_OPERATION',
  INPUT_CLOSED: 'UNSUPPORTED_OPERATION',
  IDEMPOTENCY_CONFLICT: 'INVALID_PARAMS',
};

function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof AppError) return new RpcError(CODES[error.code] ?? 'INTERNAL', error.message);
  throw error;
}
