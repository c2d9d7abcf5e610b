import { describe, expect, it } from '@jest/globals';
import { addDiscriminators } from './discriminators.js';

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` });

const member = (type: object, required = ['type']) => ({
  type: 'object',
  properties: { type, delta: {} },
  required,
});

function documentWith(schemas: Record<string, object>, union: object) {
  return { paths: { '/events': { get: { responses: { 200: union } } } }, components: { schemas } };
}

describe('addDiscriminators', () => {
  it('adds the property by which the members of a union differ', () => {
    const document = documentWith(
      { Delta: member({ const: 'text-delta' }), End: member({ type: 'string', enum: ['end'] }) },
      { oneOf: [reference('Delta'), reference('End')] },
    );
    expect(addDiscriminators(document).paths['/events'].get.responses[200]).toEqual({
      oneOf: [reference('Delta'), reference('End')],
      discriminator: {
        propertyName: 'type',
        mapping: { 'text-delta': '#/components/schemas/Delta', end: '#/components/schemas/End' },
      },
    });
  });

  it.each([
    ['share a value', { A: member({ const: 'a' }), B: member({ const: 'a' }) }],
    ['may leave the property out', { A: member({ const: 'a' }), B: member({ const: 'b' }, []) }],
    ['allow several values', { A: member({ const: 'a' }), B: member({ enum: ['b', 'c'] }) }],
    ['are not all there', { A: member({ const: 'a' }) }],
  ])('leaves a union unchanged whose members %s', (_why, schemas) => {
    const union = { oneOf: [reference('A'), reference('B')] };
    expect(
      addDiscriminators(documentWith(schemas, union)).paths['/events'].get.responses[200],
    ).not.toHaveProperty('discriminator');
  });

  it('finds unions inside other schemas', () => {
    const schemas = {
      Delta: member({ const: 'text-delta' }),
      End: member({ const: 'end' }),
      Event: { anyOf: [reference('Delta'), reference('End')] },
    };
    expect(addDiscriminators({ components: { schemas } }).components.schemas.Event).toHaveProperty(
      'discriminator',
    );
  });
});
