/** What the value of a header or of a parameter of a query may be filled with. */
export const WORDS: Readonly<Record<string, string>> = {
  letters: 'a',
  commas: ',',
  'quoted words': '"x", ',
  'open quotes': '"\\',
  parameters: 'a=1,',
  semicolons: 'a;q=0.5,',
  spaces: ' \t',
  codings: 'gzip;q=0.1, ',
  waits: 'wait=1, ',
  slashes: '*/*;a="',
  digits: '9',
  addresses: '10.0.0.1, ',
};

/** The same for queries, encoded. */
export const QUERY_WORDS: Readonly<Record<string, string>> = {
  letters: 'a',
  'encoded letters': '%41',
  'encoded letters of three bytes': '%E2%82%AC',
  NUL: '%00',
  plus: '+',
  'broken encoding': '%',
  brackets: '%5B',
  'more parameters': '&a=',
  'nameless parameters': '&',
  digits: '9',
  commas: ',',
};

/** Headers that any client or proxy may send, beside those of the document. */
export const HEADERS = [
  'Accept',
  'Accept-Encoding',
  'Accept-Language',
  'Authorization',
  'Content-Encoding',
  'Content-Type',
  'Cookie',
  'Forwarded',
  'If-Match',
  'If-None-Match',
  'Origin',
  'X-Forwarded-For',
] as const;
