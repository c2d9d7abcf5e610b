import type { IncomingHttpHeaders } from 'node:http';
import { cookiesNamed } from './credentials/carried-credentials.js';

/** Browsers take a cookie of such a name only from the host itself, over https and for all paths (RFC 6265bis, section 4.1.3.2). */
const HOST_PREFIX = '__Host-';

export interface CookieRequest {
  readonly headers: IncomingHttpHeaders;
  /** `http` or `https`, as the framework sees it. */
  readonly protocol?: string;
}

export interface HostCookieOptions {
  /** `Lax`: is sent when another site leads the browser here, too. */
  readonly sameSite: 'Strict' | 'Lax';
  /** Paths to which it is sent. Default `/`. With any other, browsers take it from sibling hosts as well. */
  readonly path?: string;
  /** Browsers come by https, whatever the framework sees: a proxy that it does not trust may end TLS. */
  readonly isHttps?: boolean;
}

/** A cookie that scripts cannot read, and that no other host can set where the browser came by https. */
export class HostCookie {
  constructor(
    private readonly name: string,
    private readonly options: HostCookieOptions,
  ) {}

  /** Returns its name for a request. */
  nameFor(request: CookieRequest): string {
    const mayHavePrefix = this.isHttps(request) && this.path === '/' && !this.name.startsWith(HOST_PREFIX);
    return mayHavePrefix ? HOST_PREFIX + this.name : this.name;
  }

  /** Returns its value in a request: undefined without one, and when there are two, of which one is not ours. */
  read(request: CookieRequest): string | undefined {
    const values = cookiesNamed(request, this.nameFor(request));
    return values.length === 1 ? values[0] : undefined;
  }

  /** Returns the `Set-Cookie` header that sets it, or that takes it away: `maxAge` 0, in seconds (RFC 6265bis, section 4.1). */
  write(
    request: CookieRequest,
    { value, maxAge }: { readonly value: string; readonly maxAge: number },
  ): string {
    const secure = this.isHttps(request) ? '; Secure' : '';
    const attributes = `Max-Age=${maxAge}; Path=${this.path}; HttpOnly${secure}; SameSite=${this.options.sameSite}`;
    return `${this.nameFor(request)}=${encodeURIComponent(value)}; ${attributes}`;
  }

  private isHttps({ protocol }: CookieRequest): boolean {
    return protocol === 'https' || this.options.isHttps === true;
  }

  private get path(): string {
    return this.options.path ?? '/';
  }
}
