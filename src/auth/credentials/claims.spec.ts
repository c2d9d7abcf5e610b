import { describe, expect, it } from '@jest/globals';
import { principalOfClaims } from './claims.js';

describe('the principal of a token', () => {
  it('is its subject, tenant and roles', () => {
    expect(principalOfClaims({ sub: 'ada', tenant: 'acme', roles: ['analyst', 'admin'] }, {})).toEqual({
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
  ])('has of the roles %j those that are names', (roles, expected) => {
    expect(principalOfClaims({ sub: 'ada', roles }, {})?.roles).toEqual(expected);
  });

  it('never has every role because a token says so', () => {
    expect(principalOfClaims({ sub: 'ada', roles: ['*', 'analyst'] }, {})?.roles).toEqual(['analyst']);
  });

  it('is read from the claims that the settings name, by name or by path', () => {
    const payload = { uid: 'ada', org: { id: 'acme' }, 'https://example.com/roles': ['analyst'] };
    const claims = { userId: 'uid', tenant: 'org.id', roles: 'https://example.com/roles' };
    expect(principalOfClaims(payload, { claims })).toEqual({
      userId: 'ada',
      tenant: 'acme',
      roles: ['analyst'],
    });
  });

  it('belongs to the default tenant when the token names none', () => {
    expect(principalOfClaims({ sub: 'ada' }, {})?.tenant).toBe('default');
    expect(principalOfClaims({ sub: 'ada' }, { defaultTenant: 'acme' })?.tenant).toBe('acme');
  });

  it.each([
    {},
    { sub: '' },
    { sub: 7 as unknown as string },
    { sub: 'ada', tenant: 7 },
    { sub: 'ada', tenant: '' },
  ])('is nobody for %j', (payload) => {
    expect(principalOfClaims(payload, {})).toBeUndefined();
  });

  it('is nobody when the setting names something that every object has', () => {
    expect(principalOfClaims({}, { claims: { userId: 'constructor.name' } })).toBeUndefined();
  });
});
