import { describe, expect, it } from '@jest/globals';
import type { Principal } from '../principal.js';
import { ScriptedAgent } from '../testing/scripted.agent.js';
import { AgentRegistry } from './agent.registry.js';

const ADA: Principal = { userId: 'ada', tenant: 'acme', roles: [] };
const ANALYST: Principal = { ...ADA, roles: ['analyst'] };

class Restricted extends ScriptedAgent {
  override readonly roles = ['analyst'];
}

function createRegistry(...agents: ScriptedAgent[]): AgentRegistry {
  const registry = new AgentRegistry();
  for (const agent of agents) registry.register(agent);
  return registry;
}

const named = (name: string) => new ScriptedAgent(() => undefined, { name });
const restricted = new Restricted(() => undefined, { name: 'finance' });

describe('AgentRegistry', () => {
  it('returns the agent that was asked for by name, or the first one when no name is given', () => {
    const registry = createRegistry(named('a'), named('b'));
    expect(registry.choose(ADA, 'b').name).toBe('b');
    expect(registry.choose(ADA, undefined).name).toBe('a');
  });

  it('refuses to register two agents with the same name', () => {
    expect(() => createRegistry(named('a'), named('a'))).toThrow("Two agents are named 'a'. Rename one.");
  });

  it('hides agents that the principal may not use and refuses them like unknown names', () => {
    const registry = createRegistry(restricted, named('a'));
    expect(registry.availableTo(ADA).map(({ name }) => name)).toEqual(['a']);
    expect(registry.choose(ADA, undefined).name).toBe('a');
    const words = (name: string) => {
      try {
        return registry.choose(ADA, name).name;
      } catch (error) {
        return String(error).replaceAll(name, '?');
      }
    };
    expect(words('finance')).toBe(words('nonsense'));
    expect(registry.choose(ANALYST, 'finance')).toBe(restricted);
  });

  it('lists the available names when it refuses an unknown agent, even if there are none', () => {
    expect(() => createRegistry(named('a'), named('b')).choose(ADA, 'c')).toThrow(
      "There is no agent 'c'. Available: a, b.",
    );
    expect(() => createRegistry().choose(ADA, undefined)).toThrow(
      'There is no agent for you. Available: none.',
    );
  });

  it('finds the agent of an earlier run by name for every caller', () => {
    expect(createRegistry(restricted).get('finance')).toBe(restricted);
    expect(createRegistry().get('finance')).toBeUndefined();
  });
});
