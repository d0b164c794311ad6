import { expect, test } from 'vitest';
import { withSettings } from './session-settings.ts';

function optionsOf(url: string): string {
  return new URL(url).searchParams.get('options') ?? '';
}

test('settings are put on top of the options that a URL has, so that ours hold', () => {
  const url = withSettings('postgres://me:w%20rd@db:5432/accepted?sslmode=require&options=-c%20jit%3Don', {
    work_mem: '8MB',
  });
  expect(url).toMatch(/^postgres:\/\/me:w%20rd@db:5432\/accepted\?sslmode=require&options=/);
  expect(optionsOf(url)).toMatch(/-c jit=on .*-c jit=off .*-c work_mem=8MB$/);
});

test('a schema that the URL names comes after the usual one, so that it holds', () => {
  const options = optionsOf(withSettings('postgres://db/accepted?options=-c%20search_path%3Dours'));
  expect(options).toMatch(/^-c search_path=public -c search_path=ours /);
});

test('spaces within a value do not end it', () => {
  expect(optionsOf(withSettings('postgres://db/accepted'))).toContain(
    '-c default_transaction_isolation=read\\ committed ',
  );
});
