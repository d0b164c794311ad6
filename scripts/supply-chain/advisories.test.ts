import { expect, test } from 'vitest';
import accepted from './accepted-advisories.json' with { type: 'json' };
import { type AcceptedAdvisory, type Advisory, judgeAdvisories } from './advisories.ts';

const TODAY = '2026-11-28';
const advisory = (severity: Advisory['severity']): Advisory => ({
  github_advisory_id: 'GHSA-aaaa-bbbb-cccc',
  module_name: 'some',
  severity,
  title: 'It listens to strangers',
  url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
  vulnerable_versions: '<2',
  patched_versions: '>=2.0.0',
  findings: [{ version: '1.0.0', paths: ['apps__api>some'] }],
});
const acceptedUntil = (until: string): AcceptedAdvisory[] => [
  { advisory: 'GHSA-aaaa-bbbb-cccc', package: 'some', reason: 'It is told nothing by strangers.', until },
];

const judge = (advisories: Advisory[], entries: AcceptedAdvisory[] = []) =>
  judgeAdvisories({ advisories }, entries, TODAY);

test.each(['high', 'critical'] as const)(
  'an advisory that is %s is a fault, with the way to it and the cure',
  (severity) => {
    expect(judge([advisory(severity)])).toEqual({
      kind: 'faulty',
      faults: [
        `${severity}: some 1.0.0 (apps__api>some): It listens to strangers (GHSA-aaaa-bbbb-cccc, https://github.com/advisories/GHSA-aaaa-bbbb-cccc): take >=2.0.0, or accept it in accepted-advisories.json with a reason and a last day.`,
      ],
    });
  },
);

test('lesser ones are counted', () => {
  expect(judge([advisory('moderate')])).toEqual({
    kind: 'fine',
    summary: 'none that is severe, 1 lesser, 0 accepted',
  });
});

test.each([
  ['on the last day it is still accepted', [advisory('high')], TODAY, undefined],
  ['the day after it is not', [advisory('high')], '2026-11-27', 'was accepted until 2026-11-27'],
  ['one that is gone has to leave the file', [], '2027-01-01', 'is not needed any more: take it out'],
])('%s', (_name, advisories, until, fault) => {
  const finding = judge(advisories, acceptedUntil(until));
  if (fault === undefined) expect(finding.kind).toBe('fine');
  else expect(finding).toEqual({ kind: 'faulty', faults: [expect.stringContaining(fault)] });
});

test('an advisory of another package is not accepted with it', () => {
  expect(judge([{ ...advisory('high'), module_name: 'other' }], acceptedUntil(TODAY)).kind).toBe('faulty');
});

test('without an answer nothing is said to be fine', () => {
  const answer = { advisories: undefined, reason: 'it responded with 405' };
  expect(judgeAdvisories(answer, acceptedUntil('2026-01-01'), TODAY)).toEqual({
    kind: 'unanswered',
    reason: 'it responded with 405',
  });
});

test('whatever is accepted has an advisory, a package, a reason and a last day, and nothing else', () => {
  for (const entry of accepted as AcceptedAdvisory[])
    expect(entry).toEqual({
      advisory: expect.stringMatching(/^GHSA(-[0-9a-z]{4}){3}$/),
      package: expect.any(String),
      reason: expect.stringMatching(/^.{20,}\.$/),
      until: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
    });
});
