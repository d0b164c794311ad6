/** What a check of the supply chain came to. */
export type Finding =
  | { kind: 'fine'; summary: string }
  | { kind: 'faulty'; faults: string[] }
  | { kind: 'unanswered'; reason: string };

/** Is fine where there are no faults. */
export function findingOf(faults: string[], summary: string): Finding {
  return faults.length > 0 ? { kind: 'faulty', faults } : { kind: 'fine', summary };
}
