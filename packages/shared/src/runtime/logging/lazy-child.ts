import { type Logger, pino } from 'pino';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** Writes lines, and makes no loggers of its own but one of another level. */
export interface LineLogger extends Pick<Logger, Level> {
  /** Makes one that writes the same from `level` on, whatever the parent leaves out. */
  atLevel(level: string): LineLogger;
}

/**
 * Makes a child that is only made when it writes: nearly every attempt writes nothing, and spelling its ids would cost it
 * more than all else about its log. `level` is the parent's when it is left out.
 */
export function lazyChild(
  parent: Logger,
  bindings: () => Record<string, unknown>,
  level: string = parent.level,
): LineLogger {
  let child: Logger | undefined;
  const least = pino.levels.values[level] ?? Number.POSITIVE_INFINITY;
  const write = (name: Level, line: Parameters<Logger['info']>) => {
    if ((pino.levels.values[name] ?? 0) < least) return;
    child ??= parent.child(bindings(), { level });
    child[name](...line);
  };
  return {
    debug: (...line: Parameters<Logger['info']>) => write('debug', line),
    info: (...line: Parameters<Logger['info']>) => write('info', line),
    warn: (...line: Parameters<Logger['info']>) => write('warn', line),
    error: (...line: Parameters<Logger['info']>) => write('error', line),
    atLevel: (other) => lazyChild(parent, bindings, other),
  };
}
