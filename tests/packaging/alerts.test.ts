import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRIC_LABELS } from '../../apps/api/src/metrics/create-metrics.ts';

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}

const text = readFileSync(new URL('../../deploy/alerts.yml', import.meta.url), 'utf8');
const { groups }: { groups: { name: string; rules: Rule[] }[] } = parse(text);
const rules = groups.flatMap((group) => group.rules);
const named = rules.map((rule) => [rule.alert, rule] as const);

/** Collects the text of all nodes of a kind; the parser marks what is no PromQL as `⚠`. */
function nodesOf(expr: string, kind: string): string[] {
  const texts: string[] = [];
  parser.parse(expr).iterate({
    enter(node) {
      if (node.type.isError && kind === '⚠') texts.push(expr.slice(node.from));
      if (node.name === kind) texts.push(expr.slice(node.from, node.to));
    },
  });
  return texts;
}

test('groups and rules have names of their own', () => {
  expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
});

test('dead letters are watched by depth and by growth', () => {
  const exprs = rules.map(({ expr }) => expr).join('\n');

  expect(exprs).toMatch(/accepted_dead_letters_open\) > \d+/);
  expect(exprs).toMatch(/increase\(accepted_dead_letters_created_total\[\d+m\]\)\) > \d+/);
});

test('the engine is watched for being away, and before that for being nearly full', () => {
  const exprs = rules.map(({ expr }) => expr).join('\n');

  expect(exprs).toMatch(/max\(accepted_engine_up\) == 0/);
  expect(exprs).toMatch(/max\(accepted_engine_memory_used_ratio\) > 0\.\d+/);
});

test.each(named)('%s has what Prometheus wants of a rule', (_, rule) => {
  expect(
    Object.keys(rule).filter((key) => !['alert', 'expr', 'for', 'labels', 'annotations'].includes(key)),
  ).toEqual([]);
  expect(rule.alert).toMatch(/^[A-Z][A-Za-z]+$/);
  expect(rule.for ?? '0s').toMatch(/^\d+[smhd]$/);
  expect(['warning', 'critical']).toContain(rule.labels.severity);
  expect(rule.annotations).toEqual({ summary: expect.any(String), description: expect.any(String) });
});

test.each(named)('the expression of %s is PromQL on metrics that there are', (_, { expr }) => {
  expect(nodesOf(expr, '⚠')).toEqual([]);
  const metrics = nodesOf(expr, 'VectorSelector').map((selector) => selector.replace(/\{.*/, ''));
  expect(metrics.length).toBeGreaterThan(0);
  expect(metrics.filter((name) => !(name in METRIC_LABELS))).toEqual([]);
});

test.each(named)('the texts of %s name labels that its expression leaves', (_, { expr, annotations }) => {
  const used = [
    ...Object.values(annotations)
      .join(' ')
      .matchAll(/\$labels\.(\w+)/g),
  ].map(([, name]) => name);
  const left = [...expr.matchAll(/by \(([\w, ]+)\)/g)].flatMap(([, names]) => names?.split(', '));
  expect(used.filter((name) => !left.includes(name))).toEqual([]);
});

test('a wrong expression would be found', () => {
  expect(nodesOf('max by (queue) (accepted_jobs', '⚠')).not.toEqual([]);
  expect(nodesOf('sum(nonsense{queue="a"})', 'VectorSelector')).toEqual(['nonsense{queue="a"}']);
});
