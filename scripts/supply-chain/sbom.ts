import { Version } from '@cyclonedx/cyclonedx-library/Spec';
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation';
import { type Finding, findingOf } from './finding.ts';
import { runForOutput } from './run-for-output.ts';

/** The part of a CycloneDX document that is read here. */
export interface Sbom {
  components: Component[];
}

/** A package. `purl` is a Package URL (ECMA-427); a licence is by SPDX, or by the name that its author made up. */
export interface Component {
  purl: string;
  licenses?: ({ license: { id?: string; name?: string } } | { expression: string })[];
}

/** Makes the SBOM of what the image `accepted` has from the registry, as CycloneDX 1.7 JSON, with the command that the image uses. */
export async function makeSbom(): Promise<string> {
  const { code, stdout, stderr } = await runForOutput('npm', ['run', '--silent', 'sbom']);
  if (code !== 0) throw new Error(`There is no SBOM: ${stderr}`);
  return stdout;
}

/** Checks an SBOM against the schema of CycloneDX, with nothing in it that the schema does not know. */
export async function checkSbom(text: string): Promise<Finding> {
  const fault = await new JsonStrictValidator(Version.v1dot7).validate(text);
  if (fault) return { kind: 'faulty', faults: [`It is no CycloneDX 1.7: ${JSON.stringify(fault)}`] };
  const { components }: Sbom = JSON.parse(text);
  return findingOf(components.length === 0 ? ['It names no package.'] : [], `${components.length} packages`);
}
