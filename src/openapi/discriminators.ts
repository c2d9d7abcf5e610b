type Json = Record<string, unknown>;

/**
 * Adds `discriminator` to every union of named schemas that differ by a constant property, as zod's discriminated unions do
 * once they are JSON Schema. Code generators need it to find the right member; validators do not. Changes the document.
 */
export function addDiscriminators<Document extends object>(document: Document): Document {
  const { components } = document as { components?: { schemas?: Record<string, Json> } };
  visit(document, components?.schemas ?? {});
  return document;
}

function visit(node: unknown, schemas: Record<string, Json>): void {
  if (typeof node !== 'object' || node === null) return;
  const union = (node as Json)['oneOf'] ?? (node as Json)['anyOf'];
  if (Array.isArray(union) && !('discriminator' in node)) {
    const discriminator = findDiscriminator(union as readonly Json[], schemas);
    if (discriminator) (node as Json)['discriminator'] = discriminator;
  }
  for (const child of Object.values(node)) visit(child, schemas);
}

function findDiscriminator(members: readonly Json[], schemas: Record<string, Json>) {
  const named = members.map((member) => {
    const reference = typeof member['$ref'] === 'string' ? member['$ref'] : '';
    return {
      reference,
      constants: listConstants(schemas[reference.replace('#/components/schemas/', '')], schemas),
    };
  });
  if (named.length < 2) return undefined;
  const [first] = named;
  for (const propertyName of first?.constants.keys() ?? []) {
    const mapping = new Map(
      named.map(({ reference, constants }) => [constants.get(propertyName), reference]),
    );
    if (!mapping.has(undefined) && mapping.size === named.length) {
      return { propertyName, mapping: Object.fromEntries(mapping) };
    }
  }
  return undefined;
}

/** The required properties that have one possible value, and that value. Of a union: those that all its members share. */
function listConstants(schema: Json | undefined, schemas: Record<string, Json>): Map<string, string> {
  const union = schema?.['oneOf'] ?? schema?.['anyOf'];
  if (Array.isArray(union)) return listShared(union as readonly Json[], schemas);
  const required = Array.isArray(schema?.['required']) ? (schema['required'] as unknown[]) : [];
  const constants = new Map<string, string>();
  for (const [name, property] of Object.entries((schema?.['properties'] ?? {}) as Record<string, Json>)) {
    const values = 'const' in property ? [property['const']] : property['enum'];
    if (!required.includes(name) || !Array.isArray(values) || values.length !== 1) continue;
    if (typeof values[0] === 'string') constants.set(name, values[0]);
  }
  return constants;
}

function listShared(members: readonly Json[], schemas: Record<string, Json>): Map<string, string> {
  const [first = new Map<string, string>(), ...others] = members.map((member) => {
    const name =
      typeof member['$ref'] === 'string' ? member['$ref'].replace('#/components/schemas/', '') : '';
    return listConstants(schemas[name] ?? member, schemas);
  });
  return new Map([...first].filter(([name, value]) => others.every((other) => other.get(name) === value)));
}
