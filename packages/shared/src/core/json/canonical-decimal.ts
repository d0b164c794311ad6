const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
const NUMBER_WITHOUT_POINT = /^(-?)(\d+)(?:e(-?\d+))?$/;
const ZERO = 48;

/**
 * Writes a JSON number in the one form that all spellings of its value share, such as `1e1` for `10`, `1.0e1` and `1e+1`;
 * `0` for every zero. Throws a TypeError for what is no number.
 */
export function canonicalDecimal(number: string): string {
  const parts = NUMBER.exec(number);
  if (!parts) throw new TypeError('This is not a JSON number.');
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = whole + fraction;
  const [start, end] = significant(digits);
  if (start === end) return '0';
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - end);
  return `${sign}${digits.slice(start, end)}e${power}`;
}

/**
 * Writes a JSON number as people write ids and amounts, without an exponent, and all spellings of its value alike. It must
 * not be far beyond the range of a double: an exponent becomes as many zeros.
 */
export function plainDecimal(number: string): string {
  const [, sign = '', digits = '0', power = '0'] = NUMBER_WITHOUT_POINT.exec(canonicalDecimal(number)) ?? [];
  const zeros = Number(power);
  if (zeros >= 0) return `${sign}${digits}${'0'.repeat(zeros)}`;
  const padded = digits.padStart(1 - zeros, '0');
  return `${sign}${padded.slice(0, zeros)}.${padded.slice(zeros)}`;
}

/** Finds where the zeros in front end and those behind begin; by hand, as a pattern would take quadratic time. */
function significant(digits: string): [start: number, end: number] {
  let start = 0;
  let end = digits.length;
  while (start < end && digits.charCodeAt(start) === ZERO) start++;
  while (end > start && digits.charCodeAt(end - 1) === ZERO) end--;
  return [start, end];
}
