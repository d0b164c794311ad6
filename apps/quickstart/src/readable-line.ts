import { isColorSupported, prettyFactory } from 'pino-pretty';

const pretty = prettyFactory({
  colorize: isColorSupported,
  ignore: 'pid,hostname,name',
  singleLine: true,
  translateTime: 'SYS:HH:MM:ss',
});

/** Turns a line of a log into one that is read with ease; every other line, such as a handler may print, stays as it is. */
export function readableLine(line: string): string {
  return isLogLine(line) ? pretty(line).trimEnd() : line;
}

function isLogLine(line: string): boolean {
  try {
    const { level, time } = JSON.parse(line) ?? {};
    return typeof level === 'number' && typeof time === 'number';
  } catch {
    return false;
  }
}
