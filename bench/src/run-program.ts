const EXIT_FAILED = 1;
const EXIT_MISUSED = 2;

/** Runs a program to its exit code; a TypeError says what is wrong with how it was called, and is followed by the usage. */
export function runProgram(main: () => Promise<number>, usage: string): void {
  // Leaving by `exit` ends the processes that were started; leaving by a signal would not.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(EXIT_FAILED));
  // An event loop that runs empty in the middle must not pass for a run that held.
  process.exitCode = EXIT_FAILED;
  main().then(
    (code) => process.exit(code),
    (error: unknown) => {
      const isUsage = error instanceof TypeError;
      process.stderr.write(
        isUsage ? `${error.message}\n${usage}` : `${error instanceof Error ? error.stack : error}\n`,
      );
      process.exit(isUsage ? EXIT_MISUSED : EXIT_FAILED);
    },
  );
}
