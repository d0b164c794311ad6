import { expect, test } from 'vitest';
import { suggestion } from './value-words.ts';

test.each([
  ['norml', ['low', 'normal'], 'normal'],
  ['hgh', ['high', 'low'], 'high'],
  ['tag', ['tags', 'type'], 'tags'],
  ['urll', ['url', 'method'], 'url'],
  ['get', ['PUT', 'GET'], 'GET'],
  ['Maxattempts', ['maxAttempts'], 'maxAttempts'],
])('%s is probably a slip', (given, known, meant) => {
  expect(suggestion(given, known, '"')).toBe(` Did you mean "${meant}"?`);
});

test.each([
  ['a', ['b', 'c']],
  ['6xx', ['2xx', '3xx']],
  ['or', ['of']],
  ['', ['a']],
  ['weekly', ['daily', 'hourly']],
])('%j is another word', (given, known) => {
  expect(suggestion(given, known, '"')).toBe('');
});
