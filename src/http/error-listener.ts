import { Logger } from '@nestjs/common';

/** Tells a host of the errors behind our answers with a status of 500 and above. */
export class ErrorListener {
  private readonly logger = new Logger(ErrorListener.name);

  constructor(private readonly onError?: (error: unknown, request: object) => void | Promise<void>) {}

  /** Calls the host's hook without awaiting it. Its errors are logged. */
  tell(error: unknown, request: object): void {
    void this.call(error, request);
  }

  private async call(error: unknown, request: object): Promise<void> {
    try {
      await this.onError?.(error, request);
    } catch (failure) {
      this.logger.error({ err: failure }, 'hooks.onError failed; the answer is not affected.');
    }
  }
}
