import type {
  Attributes,
  Counter,
  Histogram,
  Meter,
  ObservableGauge,
  ObservableResult,
} from '@opentelemetry/api';
import { METRICS, type MetricDescription, type MetricKey } from './metric-names.js';
import { SCOPE } from './names.js';
import type { OtelApi } from './otel.js';

/** A value of a gauge, with its labels. */
export type Reading = readonly [value: number, labels?: Attributes];

/** Records measurements with the SDK that the host has registered. */
export class Metrics {
  private readonly counters = new Map<MetricKey, Counter>();
  private readonly histograms = new Map<MetricKey, Histogram>();
  private readonly stopped: (() => void)[] = [];

  private constructor(private readonly meter: Meter) {}

  /** Returns undefined if no SDK is registered that takes metrics: nothing needs to be measured then. */
  static with(api: OtelApi): Metrics | undefined {
    const meter = api.metrics.getMeter(SCOPE);
    return meter.constructor === api.createNoopMeter().constructor ? undefined : new Metrics(meter);
  }

  /** Adds to a counter. With 0, a series is there before anything has happened, so that the first time is seen as an increase. */
  count(key: MetricKey, value: number, labels?: Attributes): void {
    let counter = this.counters.get(key);
    if (!counter) {
      const { name, ...options } = toOptions(METRICS[key]);
      counter = this.meter.createCounter(name, options);
      this.counters.set(key, counter);
    }
    counter.add(value, labels);
  }

  record(key: MetricKey, value: number, labels?: Attributes): void {
    let histogram = this.histograms.get(key);
    if (!histogram) {
      const { name, ...options } = toOptions(METRICS[key]);
      histogram = this.meter.createHistogram(name, options);
      this.histograms.set(key, histogram);
    }
    histogram.record(value, labels);
  }

  /** Reads a gauge at each collection, until `close`. */
  observe(key: MetricKey, read: () => Iterable<Reading> | Promise<Iterable<Reading>>): void {
    const { name, ...options } = toOptions(METRICS[key]);
    const gauge: ObservableGauge = this.meter.createObservableGauge(name, options);
    const callback = async (result: ObservableResult) => {
      for (const [value, labels] of await read()) result.observe(value, labels);
    };
    gauge.addCallback(callback);
    this.stopped.push(() => gauge.removeCallback(callback));
  }

  /** Reads no gauge any more. */
  close(): void {
    for (const stop of this.stopped.splice(0)) stop();
  }
}

function toOptions({ name, unit, description, buckets }: MetricDescription) {
  return {
    name,
    unit,
    description,
    ...(buckets && { advice: { explicitBucketBoundaries: [...buckets] } }),
  };
}
