import satisfies from 'spdx-satisfies';
import { type Finding, findingOf } from './finding.ts';
import type { Component } from './sbom.ts';

/**
 * Who passes the image on has to pass on the notices of these licences, which every package brings along, and has no other
 * duty: nothing that is linked to them, a handler least of all, has to be published.
 */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

/** Checks that every package may be used under an allowed licence. One without a licence may not be used at all. */
export function checkLicences(components: Component[]): Finding {
  const faults = components.flatMap((component) => {
    const licences = licencesOf(component);
    if (licences.length > 0 && licences.every(isAllowed)) return [];
    const found = licences.join(', ') || 'no licence';
    return [
      `${component.purl} has ${found}: use another package, or say in licences.ts why it may be allowed.`,
    ];
  });
  return findingOf(faults, ALLOWED.join(', '));
}

function licencesOf({ licenses = [] }: Component): string[] {
  return licenses.map((entry) =>
    'expression' in entry
      ? entry.expression
      : (entry.license.id ?? entry.license.name ?? 'an unnamed licence'),
  );
}

function isAllowed(licence: string): boolean {
  try {
    return satisfies(licence, ALLOWED);
  } catch {
    // No licence that SPDX knows, such as UNLICENSED or SEE LICENSE IN …
    return false;
  }
}
