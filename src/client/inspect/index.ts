import { RunInspectorElement } from './run-inspector.js';

export { RunInspectorElement } from './run-inspector.js';
export type { InspectedPosition } from './run-inspector.js';

if (!customElements.get('run-inspector')) customElements.define('run-inspector', RunInspectorElement);

declare global {
  interface HTMLElementTagNameMap {
    'run-inspector': RunInspectorElement;
  }
}
