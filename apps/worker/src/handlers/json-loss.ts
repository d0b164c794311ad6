import { types } from 'node:util';

/**
 * Tells what a value is that JSON would turn into something else without a word, such as `{}` or `null`; `undefined` for
 * what JSON holds. `value` is what `toJSON` gave, where there is one: whoever has written it has decided.
 */
export function lostInJson(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (isAwaitable(value)) return 'a promise (is an `await` missing?)';
  if (isPlain(value)) return undefined;
  if (types.isBoxedPrimitive(value)) return lostInJson(value.valueOf());
  const [builtIn] = BUILT_INS.find(([, isOne]) => isOne(value)) ?? [];
  if (builtIn !== undefined) return builtIn;
  return Object.keys(value).length > 0 ? undefined : `${nameOf(value)}, which has no property to show`;
}

/** Its properties, if it has any, are not what it holds. Known by what they are inside, so those of another realm too. */
const BUILT_INS: [string, (value: object) => boolean][] = [
  ['a Map', types.isMap],
  ['a Set', types.isSet],
  ['a WeakMap', types.isWeakMap],
  ['a WeakSet', types.isWeakSet],
  ['an Error', (value) => value instanceof Error || types.isNativeError(value)],
  ['a RegExp', types.isRegExp],
  ['a typed array (a list or base64 text can be kept)', ArrayBuffer.isView],
  ['an ArrayBuffer', types.isAnyArrayBuffer],
];

/** Not promises alone: what a query builder gives to be awaited is none. */
function isAwaitable(value: object): boolean {
  return 'then' in value && typeof value.then === 'function';
}

/** `Object.prototype`, that of another realm too, is the one prototype that has none itself. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: object): string {
  const maker: unknown = Reflect.get(value, 'constructor');
  const name = typeof maker === 'function' ? maker.name : '';
  return name === '' || name === 'Object' ? 'an object' : `an object of ${name}`;
}
