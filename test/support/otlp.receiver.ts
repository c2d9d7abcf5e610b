import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Value = string | number | boolean | readonly Value[];

/** A span as it was received, its attributes by name. */
export interface ReceivedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for a root. */
  readonly parentSpanId: string | undefined;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, Value>>;
  /** 2: an error. */
  readonly status: number;
  /** Identity of the process that sent it. */
  readonly instance: string;
}

/** Receives traces by OTLP over HTTP, as JSON. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  /** Every request, whatever it was for. */
  readonly heard: { readonly url: string | undefined; readonly headers: IncomingHttpHeaders }[] = [];
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => {
      void this.take(request).then(() => response.setHeader('content-type', 'application/json').end('{}'));
    });
  }

  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    await once(receiver.server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  /** The variables by which a process sends its traces here, soon after they end. */
  get variables(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    return {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_BSP_SCHEDULE_DELAY: '20',
    };
  }

  /** The spans with a name that begins so. */
  named(prefix: string): ReceivedSpan[] {
    return this.spans.filter(({ name }) => name.startsWith(prefix));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage): Promise<void> {
    const body = await text(request);
    this.heard.push({ url: request.url, headers: request.headers });
    if (request.url !== '/v1/traces') return;
    const { resourceSpans } = JSON.parse(body) as Export;
    for (const { resource, scopeSpans } of resourceSpans) {
      const instance = String(toRecord(resource.attributes)['service.instance.id']);
      for (const { spans } of scopeSpans) this.spans.push(...spans.map((span) => toSpan(span, instance)));
    }
  }
}

/** The parts of an export that are read here. */
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

interface WireSpan extends Omit<ReceivedSpan, 'attributes' | 'links' | 'parentSpanId' | 'status'> {
  readonly parentSpanId?: string;
  readonly attributes?: readonly Attribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number };
}

interface Attribute {
  readonly key: string;
  readonly value: WireValue;
}

interface WireValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly WireValue[] };
}

function toSpan({ parentSpanId, attributes, links = [], status, ...span }: WireSpan, instance: string) {
  return {
    ...span,
    parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
    attributes: toRecord(attributes),
    links: links.map(({ traceId, spanId }) => ({ traceId, spanId })),
    status: status?.code ?? 0,
    instance,
  };
}

function toRecord(attributes: readonly Attribute[] = []): Record<string, Value> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toValue(value)]));
}

function toValue({ stringValue, intValue, doubleValue, boolValue, arrayValue }: WireValue): Value {
  if (arrayValue) return arrayValue.values.map(toValue);
  return stringValue ?? boolValue ?? doubleValue ?? Number(intValue);
}
