import type { Owner } from '../principal.js';

/**
 * Every security event that is logged, with the sentence that its line says. Types are stable: alerts count them.
 * `docs/production/security-events.md` says what each has; a spec keeps that page and this table equal.
 */
export const SECURITY_EVENTS = {
  'sign-in': 'signed in',
  'sign-out': 'signed out',
  'sessions-ended': 'all sessions of a user ended',
  'credentials-refused': 'credentials refused',
  'credentials-slowed': 'repeated wrong credentials slowed down',
  'origin-refused': 'origin or host refused',
  'access-refused': 'access refused',
  'limit-reached': 'limit reached',
  decision: 'a person decided on a tool call',
  deletion: 'conversation deleted',
  'tool-refused': 'tool call refused',
  'tool-changed': 'MCP tool left out: its description was not accepted',
  'tool-accepted': 'MCP tool accepted',
  'run-cancelled': 'operator cancelled a run',
  'run-requeued': 'operator took a run from its owner',
  'instance-drained': 'operator drained an instance',
  'switched-off': 'agent, tool or principal switched off',
  'switched-on': 'agent, tool or principal switched on',
} as const;

export type SecurityEventType = keyof typeof SECURITY_EVENTS;

/** Types of events for refusals: callers can cause as many of these as they send requests. Of everything else each one counts. */
export const REFUSALS: ReadonlySet<SecurityEventType> = new Set<SecurityEventType>([
  'credentials-refused',
  'credentials-slowed',
  'origin-refused',
  'access-refused',
  'limit-reached',
  'tool-refused',
]);

/** A fact for those who watch over the service: who, from where, what, why. */
export interface SecurityEvent {
  readonly type: SecurityEventType;
  /** Absent for a caller who is not known. */
  readonly principal?: Owner;
  /** The caller's network address, as far as the proxy settings say. */
  readonly address?: string;
  /** An error code, or a few words. */
  readonly reason?: string;
  readonly runId?: string;
  readonly threadId?: string;
  readonly inputId?: string;
  /** The limit, the tool, the agent, or whatever else the event is about. */
  readonly subject?: string;
  /** Events like this one that were not told one by one since the last line: see SecurityLog. */
  readonly suppressed?: number;
}

/** Receives each security event that is logged. What it throws is logged, and stops nothing. */
export type SecurityListener = (event: SecurityEvent) => void | Promise<void>;
