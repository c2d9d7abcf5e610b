import { describe, expect, it } from '@jest/globals';
import { toPrincipal } from './claims.js';

describe('toPrincipal', () => {
  it('reads subject, tenant and roles of a token', () => {
    expect(toPrincipal({ sub: 'ada', tenant: 'acme', roles: ['analyst', 'admin'] }, {})).toEqual({
      userId: 'ada',
      tenant: 'acme',
      roles: ['analyst', 'admin'],
    });
  });

  it.each<[unknown, string[]]>([
    ['analyst  admin', ['analyst', 'admin']],
    [['analyst', 7, null, ''], ['analyst']],
    [undefined, []],
    [{ analyst: true }, []],
  ])("keeps of a token's roles %j those that are names", (roles, expected) => {
    expect(toPrincipal({ sub: 'ada', roles }, {})?.roles).toEqual(expected);
  });

  it('does not grant every role because a token says so', () => {
    expect(toPrincipal({ sub: 'ada', roles: ['*', 'analyst'] }, {})?.roles).toEqual(['analyst']);
  });

  it('reads the claims of a token that the options name, by name or by path', () => {
    const payload = { uid: 'ada', org: { id: 'acme' }, 'https://example.com/roles': ['analyst'] };
    const claims = { userId: 'uid', tenant: 'org.id', roles: 'https://example.com/roles' };
    expect(toPrincipal(payload, { claims })).toEqual({
      userId: 'ada',
      tenant: 'acme',
      roles: ['analyst'],
    });
  });

  it('uses the default tenant when a token names none', () => {
    expect(toPrincipal({ sub: 'ada' }, {})?.tenant).toBe('default');
    expect(toPrincipal({ sub: 'ada' }, { defaultTenant: 'acme' })?.tenant).toBe('acme');
  });

  it.each([
    {},
    { sub: '' },
    { sub: 7 as unknown as string },
    { sub: 'ada', tenant: 7 },
    { sub: 'ada', tenant: '' },
  ])('returns no principal for a token with %j', (payload) => {
    expect(toPrincipal(payload, {})).toBeUndefined();
  });

  it('returns no principal when the claim path names an inherited property', () => {
    expect(toPrincipal({}, { claims: { userId: 'constructor.name' } })).toBeUndefined();
  });
});
