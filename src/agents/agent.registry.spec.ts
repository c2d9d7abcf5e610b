import { describe, expect, it } from '@jest/globals';
import type { Principal } from '../principal.js';
import { ScriptedAgent } from '../testing/scripted.agent.js';
import { AgentRegistry } from './agent.registry.js';

const ADA: Principal = { userId: 'ada', tenant: 'acme', roles: [] };
const ANALYST: Principal = { ...ADA, roles: ['analyst'] };

class Restricted extends ScriptedAgent {
  override readonly roles = ['analyst'];
}

function registryOf(...agents: ScriptedAgent[]): AgentRegistry {
  const registry = new AgentRegistry();
  for (const agent of agents) registry.register(agent);
  return registry;
}

const named = (name: string) => new ScriptedAgent(() => undefined, { name });
const restricted = new Restricted(() => undefined, { name: 'finance' });

describe('agent registry', () => {
  it('gives the agent that was asked for, and the first one when none was', () => {
    const registry = registryOf(named('a'), named('b'));
    expect(registry.choose(ADA, 'b').name).toBe('b');
    expect(registry.choose(ADA, undefined).name).toBe('a');
  });

  it('refuses a name that is taken', () => {
    expect(() => registryOf(named('a'), named('a'))).toThrow("Two agents are named 'a'. Rename one.");
  });

  it('knows no agent that the principal may not use', () => {
    const registry = registryOf(restricted, named('a'));
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

  it('says which there are, also when there are none', () => {
    expect(() => registryOf(named('a'), named('b')).choose(ADA, 'c')).toThrow(
      "There is no agent 'c'. Available: a, b.",
    );
    expect(() => registryOf().choose(ADA, undefined)).toThrow('There is no agent for you. Available: none.');
  });

  it('finds the agent of a run that was started before, whoever asks', () => {
    expect(registryOf(restricted).get('finance')).toBe(restricted);
    expect(registryOf().get('finance')).toBeUndefined();
  });
});
