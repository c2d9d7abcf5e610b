/** A browser as far as redirects and cookies go: what it keeps for each host, and no more than a browser would send. */
export class WebBrowser {
  private readonly jars = new Map<string, Map<string, Cookie>>();

  /** Sends a request with the cookies of its host, and keeps those that come back. Follows nothing. */
  async send(
    url: string | URL,
    { headers = {}, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> } = {},
  ) {
    const target = new URL(url);
    const cookie = this.cookiesFor(target)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    // A connection for each request: the next may go to another instance.
    const all = { connection: 'close', ...headers, ...(cookie && { cookie }) };
    const response = await fetch(target, { redirect: 'manual', ...init, headers: all });
    for (const line of response.headers.getSetCookie()) this.keep(target, line);
    return response;
  }

  /** Opens a URL and follows redirects until `stop` says so, or something else comes. Returns where it has come to, and what came. */
  async open(url: string | URL, stop: (url: URL) => boolean = () => false) {
    let current = new URL(url);
    for (let hops = 0; hops < 20; hops++) {
      if (stop(current)) return { url: current, response: undefined };
      const response = await this.send(current);
      const location = response.headers.get('location');
      if (location === null) return { url: current, response };
      await response.body?.cancel();
      current = new URL(location, current);
    }
    throw new Error(`Too many redirects, the last to ${current.href}.`);
  }

  /** Submits a form of the page that was opened, and follows redirects. */
  async submit(url: URL, fields: Record<string, string>, stop?: (url: URL) => boolean) {
    const response = await this.send(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    });
    const location = response.headers.get('location');
    return location === null ? { url, response } : this.open(new URL(location, url), stop);
  }

  cookiesFor({ host, pathname }: URL): readonly Cookie[] {
    return [...(this.jars.get(host)?.values() ?? [])].filter(({ path }) => pathname.startsWith(path));
  }

  /** Puts a cookie of another browser into this one. */
  take(url: URL, cookie: Cookie): void {
    const jar = this.jars.get(url.host) ?? new Map<string, Cookie>();
    this.jars.set(url.host, jar.set(cookie.name, cookie));
  }

  private keep(url: URL, line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    const find = (key: string) =>
      attributes.find((each) => each.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
    const isOver =
      find('max-age') === '0' || (find('expires') !== undefined && new Date(find('expires')!) < new Date());
    if (isOver) this.jars.get(url.host)?.delete(name);
    else this.take(url, { name, value, path: find('path') ?? '/', line });
  }
}

export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** The header that has set it. */
  readonly line: string;
}
