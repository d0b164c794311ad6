/** Which of the three builds of the suite a worker is: 1 unless a deploy has said another. */
export function buildNumber(): number {
  return Number(process.env.FAULTS_BUILD ?? 1);
}

/** How long jobs for some builds take: long enough to be there when something happens to them. */
export const WORK_MS = 500;
