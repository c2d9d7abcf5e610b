// An agent that does what a test says
export { createAnswer, ScriptedAgent } from './scripted.agent.js';

// What every storage promises
export { describeStorage } from './storage/storage.contract.js';
export { emptyStorage } from './storage/storage-emptying.js';
export type {
  StorageFactory,
  StorageFeatures,
  StorageHarness,
  TestFramework,
} from './storage/storage-harness.js';

// What readers may see, whatever breaks
export { FaultProxy } from './fault.proxy.js';
export type { FaultProxyOptions, ConnectionFaults } from './fault.proxy.js';
export { checkHistory } from './history/history-checker.js';
export { ANOMALIES } from './history/history.js';
export type {
  Anomaly,
  AnomalyName,
  Connection,
  ObservedFrame,
  Reader,
  RunHistory,
} from './history/history.js';
